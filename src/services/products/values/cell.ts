/** What a cell holds, or what is wrong with it: a stable code, and words that follow the cell's value in a sentence. */
export type CellResult<T> = { readonly value: T; readonly code?: undefined } | CellFault;

export interface CellFault {
  /** SCREAMING_SNAKE, stable */
  readonly code: string;
  readonly message: string;
}
