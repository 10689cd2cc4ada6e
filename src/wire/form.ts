import { gunzipSync, constants as zlib } from 'node:zlib';
import { AwsError } from '#core/aws-error.ts';
import type { RawPair } from './routed.ts';

/** Assumed: more parameters than any client of ours sends (PutMetricData with 1,000 metrics of a few fields each stays below). */
const PAIRS_MAX = 20_000;
/** How much of a form is searched for its Action before the signature is verified. Clients send Action and Version first or, sorted, early. */
const PEEK_BYTES = 1_024;

/** Every parameter of a form or query string, decoded; a form writes a space as `+`, a query string does not. */
export function parseParameters(text: string, plusIsSpace: boolean): Map<string, string> {
  const parameters = new Map<string, string>();
  let from = 0;
  while (from < text.length) {
    const ampersand = text.indexOf('&', from);
    const to = ampersand < 0 ? text.length : ampersand;
    if (to > from) {
      const equals = text.indexOf('=', from);
      const cut = equals < 0 || equals > to ? to : equals;
      const name = decodeComponent(text.slice(from, cut), plusIsSpace);
      // Two values for one name would let the trail tell another story than the handler.
      if (parameters.has(name)) throw new AwsError('SerializationException', `Duplicate parameter: ${name.slice(0, 128)}`);
      parameters.set(name, decodeComponent(text.slice(cut + 1, to), plusIsSpace));
      if (parameters.size > PAIRS_MAX) throw new AwsError('SerializationException', 'Too many parameters');
    }
    from = to + 1;
  }
  return parameters;
}

/** Percent-decodes one name or value. @throws AwsError SerializationException where it is no UTF-8, or holds U+0000, which no store keeps */
export function decodeComponent(text: string, plusIsSpace: boolean): string {
  const spaced = plusIsSpace && text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  let decoded: string;
  try {
    decoded = decodeURIComponent(spaced);
  } catch {
    throw new AwsError('SerializationException', 'Malformed percent-encoding');
  }
  if (decoded.includes('\0')) throw new AwsError('SerializationException', 'Null characters are not allowed');
  return decoded;
}

export interface ActionClues {
  readonly action: string | undefined;
  readonly version: string | undefined;
  /** Two of one name: which operation is meant is anybody's guess. */
  readonly ambiguous: boolean;
}

/** Action and Version of a query string. */
export function actionOfQuery(query: readonly RawPair[]): ActionClues {
  let action: string | undefined;
  let version: string | undefined;
  let ambiguous = false;
  for (const [name, value] of query) {
    if (name === 'Action') {
      ambiguous ||= action !== undefined;
      action = value;
    } else if (name === 'Version') version ??= value;
  }
  return { action, version, ambiguous };
}

/**
 * Action and Version of a form without decoding it: this runs before the signature is verified. Of a compressed form only the first
 * kilobyte is inflated (at most a megabyte comes of it), which `decode` does not rely on.
 */
export function actionOfForm(body: Uint8Array, gzip: boolean): ActionClues {
  const text = gzip ? inflatedStart(body) : latin1(body);
  let action: string | undefined;
  let version: string | undefined;
  let ambiguous = false;
  for (let at = nextParameter(text, 'Action=', 0); at >= 0; at = nextParameter(text, 'Action=', at)) {
    ambiguous ||= action !== undefined;
    action = valueAt(text, at);
  }
  const at = nextParameter(text, 'Version=', 0);
  if (at >= 0) version = valueAt(text, at);
  return { action, version, ambiguous };
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function inflatedStart(body: Uint8Array): string {
  try {
    return latin1(gunzipSync(body.subarray(0, PEEK_BYTES), { finishFlush: zlib.Z_SYNC_FLUSH }));
  } catch {
    return '';
  }
}

/** Where the value of the next parameter of that name begins, or -1. */
function nextParameter(text: string, nameAndEquals: string, from: number): number {
  for (let at = text.indexOf(nameAndEquals, from); at >= 0; at = text.indexOf(nameAndEquals, at + 1))
    if (at === 0 || text[at - 1] === '&') return at + nameAndEquals.length;
  return -1;
}

function valueAt(text: string, at: number): string {
  const end = text.indexOf('&', at);
  return text.slice(at, end < 0 ? undefined : end).trim();
}
