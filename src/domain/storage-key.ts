const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const STORAGE_KEY = new RegExp(`^${UUID}/[a-z][a-z0-9_-]{0,39}/${UUID}$`);

/** Where a file of an organization is stored. `noun` says what it is: "uploads", "rejected-rows". */
export function storageKey(organizationId: string, noun: string, id: string): string {
  const key = `${organizationId}/${noun}/${id}`;
  if (!isStorageKey(key))
    throw new TypeError(`expected <organization>/<noun>/<uuid> as a storage key, got ${JSON.stringify(key)}`);
  return key;
}

/** True for keys of our own making alone: nothing else may reach a file system. */
export function isStorageKey(key: string): boolean {
  return STORAGE_KEY.test(key);
}
