/** Lists are counted exactly up to here; beyond it a total is null. */
export const TOTAL_COUNT_MAX = 10_000;
/** Ids in one list of an argument. */
export const IDS_MAX = 100;
/** Shorter searches would read the whole table: the index knows three characters and more. */
export const SEARCH_LENGTH_MIN = 3;
export const SEARCH_LENGTH_MAX = 200;
