/** Tag of a resource, as stored. */
export interface TagRecord {
  readonly key: string;
  readonly value: string;
}
