/**
 * Context keys with a slot: a small number by which a `FactSource` finds their value without a look-up by name. These
 * are the keys about the principal, the request and the account of the resource. All other keys (tags, keys of
 * services, unknown keys) are looked up by name.
 *
 * Source: IAM User Guide, "AWS global condition context keys".
 */
// biome-ignore format: a table
export const SLOT_KEYS: readonly string[] = [
  // the principal and its session
  'aws:username', 'aws:userid', 'aws:principalarn', 'aws:principalaccount', 'aws:principaltype', 'aws:principalorgid', 'aws:principalorgpaths',
  'aws:principalorgmasteraccountid', 'aws:multifactorauthpresent', 'aws:multifactorauthage', 'aws:tokenissuetime', 'aws:sourceidentity', 'aws:federatedprovider',
  'aws:principalisawsservice',
  // the request
  'aws:sourceip', 'aws:securetransport', 'aws:useragent', 'aws:referer', 'aws:requestedregion', 'aws:currenttime', 'aws:epochtime',
  'aws:viaawsservice', 'aws:ismcpserviceaction',
  // the resource
  'aws:resourceaccount', 'aws:resourceorgid', 'aws:resourceorgpaths',
];

const SLOTS: ReadonlyMap<string, number> = new Map(SLOT_KEYS.map((key, slot) => [key, slot]));

/** Returns the slot of a lower-case context key, or -1 if the key is looked up by name. */
export function slotOf(key: string): number {
  return SLOTS.get(key) ?? -1;
}
