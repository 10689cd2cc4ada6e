/** Type of an object after its undefined members are removed: a member that may be undefined becomes optional. */
export type OmitUndefined<T> = {
  readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/**
 * Returns a shallow copy without the members whose value is `undefined`. Other values, such as `null`, `''` and `[]`, remain.
 *
 *     omitUndefined({ Name: 'general', Metadata: undefined }) → { Name: 'general' }
 *
 * Use it for optional members. Messages and stored documents leave out a member without a value. The compiler
 * (`exactOptionalPropertyTypes`) does not accept `undefined` for an optional member.
 */
export function omitUndefined<T extends object>(members: T): OmitUndefined<T> {
  const defined: Record<string, unknown> = {};
  // A loop over names creates no lists. Each request calls this function several times.
  for (const name in members) {
    const value = members[name];
    if (value !== undefined && Object.hasOwn(members, name)) defined[name] = value;
  }
  return defined as OmitUndefined<T>;
}
