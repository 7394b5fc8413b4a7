/** Days for which an account's number of followers holds when no newer one is told. */
export const FOLLOWERS_KNOWN_DAYS = 60;
