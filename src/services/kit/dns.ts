/**
 * Looks for the TXT records of a name in DNS. Resolves to their texts, to an empty list if there is none, and to 'failed' if the resolver
 * did not answer. The strings of one record are joined. Never rejects, and ends after a few seconds.
 *
 * Source of the joined strings: RFC 7208, section 3.3, as domain verifications use them.
 */
export type LookUpTxt = (name: string) => Promise<readonly string[] | 'failed'>;
