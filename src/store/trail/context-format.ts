/** Facts that the writer and the reader of decision contexts share. */

/**
 * Format of the decision contexts of a pack (a row with several trail records), version 2: a JSON list of the version,
 * the strings, and one entry for each record. All contexts of the pack share the strings.
 *
 *     [2, ["us-east-1", "chime:GetMeeting", …], [[412, 0, 1, …], 0, 9000]]
 *
 * An entry is 0 for a record without a context, the size of a context that was too large, or a list of numbers. In the
 * list, a string is its index plus one, and 0 stands for an absent string. `Writer` (`context-writer.ts`) defines the order
 * of the list, and `Reader` (`context-reader.ts`) reads it.
 *
 * Version 1 had no bits `OWNED` and `RESOURCE_POLICY`. Otherwise it is the same, so the reader also accepts it.
 */
export const VERSION = 2;
/** Format of packs with decisions about parts of a result that were denied or omitted. Earlier programs would read such decisions as others. */
export const VERSION_WITH_PARTS = 3;
export const READ_VERSIONS: readonly number[] = [1, VERSION, VERSION_WITH_PARTS];

/** Bits of a context. */
export const SECURE = 1;
export const CLASSIC = 2;
export const SESSION = 4;
export const CHANGED = 8;
export const PARTS = 16;

/** Bits of a permission. */
export const ALWAYS = 1;
export const UNDECIDED = 2;
export const TAGS_NOT_READ = 4;
export const TAGS_READ = 8;
export const OWNED = 16;
export const RESOURCE_POLICY = 32;

/** Kinds of outcomes. The number of a kind is its index. */
export const OUTCOMES = ['Allow', 'explicit', 'implicit', 'limit', 'session-kind'] as const;

/** Number in place of a length: no list, a single value in place of a list, or a resource that does not exist. */
export const NONE = -1;
