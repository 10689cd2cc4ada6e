import { ownText } from './canonical.ts';

/** A SignedHeaders list, taken apart. */
export interface SignedHeaders {
  readonly names: ReadonlySet<string>;
  /** In the order of the list, as they begin the lines of a canonical request: `host:`. */
  readonly lines: readonly { readonly name: string; readonly begin: string }[];
  /** Whether the names are in order, each once. */
  readonly sorted: boolean;
}

const LIST = /^[a-z0-9!#$%&'*+.^_`|~-]+(?:;[a-z0-9!#$%&'*+.^_`|~-]+)*$/;
const LIST_MAX = 4096;
const KNOWN_MAX = 256;
/** Longer lists are read anew each time: nobody fills the memory with them. */
const KNOWN_LENGTH_MAX = 512;

/** Lists read before, the oldest first: a client sends the same one with every request. What is read does not depend on it. */
const known = new Map<string, SignedHeaders>();

/** Reads `host;x-amz-date`; undefined where that is no list of lower-case header names, or is longer than 4096. */
export function readSignedHeaders(list: string): SignedHeaders | undefined {
  const before = known.get(list);
  if (before !== undefined) return before;
  if (list.length > LIST_MAX || !LIST.test(list)) return undefined;
  const kept = ownText(list);
  const names = kept.split(';');
  const read: SignedHeaders = {
    names: new Set(names),
    lines: names.map((name) => ({ name, begin: `\n${name}:` })),
    sorted: names.every((name, i) => i === 0 || (names[i - 1] as string) < name),
  };
  if (list.length > KNOWN_LENGTH_MAX) return read;
  if (known.size >= KNOWN_MAX) known.delete(known.keys().next().value as string);
  known.set(kept, read);
  return read;
}
