/**
 * Context keys with a slot in the request record: the keys that most requests have. They are few, so that the record stays in the
 * processor's cache. All other keys (tags, keys of services, unknown keys) are looked up by name in the request's context.
 *
 * Source: IAM User Guide, "AWS global condition context keys", the keys that are "always" or "in most cases" in the context.
 */
// biome-ignore format: a table
export const SLOT_KEYS: readonly string[] = [
  // the principal and its session
  'aws:username', 'aws:userid', 'aws:principalarn', 'aws:principalaccount', 'aws:principaltype', 'aws:principalorgid', 'aws:multifactorauthpresent',
  'aws:multifactorauthage', 'aws:tokenissuetime', 'aws:sourceidentity', 'aws:federatedprovider',
  // the connection
  'aws:sourceip', 'aws:securetransport', 'aws:useragent',
  // the request
  'aws:requestedregion', 'aws:currenttime', 'aws:epochtime', 'aws:tagkeys', 'aws:resourceaccount', 'aws:viaawsservice', 'aws:principalisawsservice',
  'iam:passedtoservice', 'sts:externalid',
];

const SLOTS: ReadonlyMap<string, number> = new Map(SLOT_KEYS.map((key, slot) => [key, slot]));

/** Returns the slot of a lower-case context key, or -1 if the key is looked up by name. */
export function slotOf(key: string): number {
  return SLOTS.get(key) ?? -1;
}
