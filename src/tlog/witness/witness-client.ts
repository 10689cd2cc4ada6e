/** Client of witnesses: obtains cosignatures for the checkpoints of a log. Source: C2SP tlog-witness 1.0.0. */
import { openCheckpoint, parseCheckpoint } from '../checkpoint.ts';
import { proveConsistency, type TileReader } from '../merkle.ts';
import { formatNote, parseNote, parseSignatureLine, type VerifiedSignature, verifySignature } from '../note.ts';
import { FormatError, type NoteKey } from '../note-key.ts';
import { decodeUtf8, parseDecimal } from '../strict.ts';
import { ADD_CHECKPOINT_BYTES_MAX, checkpointPath, formatAddCheckpoint, SIZE_TYPE } from './add-checkpoint.ts';

/** Address and key of a witness, which the operator configures. */
export interface WitnessAddress {
  /** URL below which the witness has its paths, `http:` or `https:`, without a user name, query and fragment. */
  readonly url: string;
  readonly key: NoteKey;
}

/** Outcome at one witness. `reason` is one line for the log. */
export type CosignOutcome =
  | { readonly outcome: 'cosigned'; readonly cosignature: VerifiedSignature }
  /** The witness has cosigned a larger tree of this log. So this tree is old, or the database was rolled back. */
  | { readonly outcome: 'ahead'; readonly witnessSize: number }
  /** The witness has cosigned a tree that this tree does not continue. So the database was changed or swapped. */
  | { readonly outcome: 'forked'; readonly witnessSize: number }
  /** The witness did not accept the log or its key, or the request. */
  | { readonly outcome: 'refused'; readonly reason: string }
  /** The witness is unreachable or slow, or its response is invalid. A later call may succeed. */
  | { readonly outcome: 'failed'; readonly reason: string };

/** Latest checkpoint of a log at a witness. */
export type WitnessedOutcome =
  | { readonly outcome: 'known'; readonly size: number; readonly root: Uint8Array; readonly signed: string }
  /** The witness has not cosigned a checkpoint of this log. */
  | { readonly outcome: 'none' }
  | { readonly outcome: 'failed'; readonly reason: string };

/** Options of the client. */
export interface WitnessClientOptions {
  readonly witnesses: readonly WitnessAddress[];
  /** Longest time for all requests of one call to one witness. Default: 5 seconds. */
  readonly timeoutMs?: number;
}

/** Checkpoint with the cosignatures that a call obtained. */
export interface Cosigning {
  /** The signed checkpoint with all valid cosignatures. Equal to the input if no witness cosigned. */
  readonly checkpoint: string;
  /** Outcome of each witness, in the order of the options. */
  readonly outcomes: readonly CosignOutcome[];
}

/** Client of several witnesses. It calls them at the same time, so a slow witness delays only its own outcome. */
export interface WitnessClient {
  /**
   * Obtains cosignatures for a signed checkpoint. Never rejects because of a witness.
   *
   * `read` reads the tiles of the log, for the consistency proofs. The checkpoint of an unchanged tree is allowed and
   * renews the time of the cosignatures. Sign and commit the checkpoint before this call.
   *
   * @throws FormatError  the checkpoint is not a signed checkpoint
   */
  readonly cosign: (checkpoint: string, read: TileReader) => Promise<Cosigning>;
  /** Reads the latest checkpoint of a log from each witness, and verifies the signatures of the log and the witness. */
  readonly latest: (logKeys: readonly NoteKey[]) => Promise<readonly WitnessedOutcome[]>;
}

const TIMEOUT_MS = 5_000;
/** Requests for one checkpoint. After a 409, the next request starts at the size that the witness stated. */
const ATTEMPTS = 3;
/** Longest part of a witness's message in a reason. */
const REASON_CHARACTERS = 200;

/** Response of a witness. */
interface Response {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/**
 * Creates a client. It remembers the size that each witness cosigned last, so that most calls need one request.
 *
 * @throws FormatError  the URL of a witness is invalid, or its key is not the key of a witness
 */
export function createWitnessClient({ witnesses, timeoutMs = TIMEOUT_MS }: WitnessClientOptions): WitnessClient {
  for (const { url, key } of witnesses) requireWitness(url, key);
  /** Size that the witness cosigned last, by origin and witness. */
  const sizes = new Map<string, number>();

  async function cosignAt(witness: WitnessAddress, checkpoint: string, read: TileReader): Promise<CosignOutcome> {
    const { text } = parseNote(checkpoint);
    const { origin, size } = parseCheckpoint(text);
    const known = `${witness.key.id} ${witness.url} ${origin}`;
    const signal = AbortSignal.timeout(timeoutMs);
    let oldSize = Math.min(sizes.get(known) ?? 0, size);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const proof = await proveConsistency(read, oldSize, size);
      const response = await send(`${witness.url}/add-checkpoint`, signal, formatAddCheckpoint({ oldSize, proof, checkpoint }));
      if (response.status === 409) {
        const witnessSize =
          response.type === SIZE_TYPE && response.text.endsWith('\n') ? parseDecimal(response.text.slice(0, -1)) : undefined;
        if (witnessSize === undefined) return { outcome: 'failed', reason: `status 409 without a size` };
        if (witnessSize > size) return { outcome: 'ahead', witnessSize };
        // C2SP's editor's copy has status 409 for equal sizes with different roots.
        if (witnessSize === oldSize) return { outcome: 'forked', witnessSize };
        oldSize = witnessSize;
        continue;
      }
      if (response.status === 200) {
        const cosignature = cosignatureIn(response.text, text, witness.key);
        if (cosignature === undefined) return { outcome: 'failed', reason: 'status 200 without a valid cosignature of the witness' };
        sizes.set(known, size);
        return { outcome: 'cosigned', cosignature };
      }
      if (response.status === 422) return { outcome: 'forked', witnessSize: oldSize };
      const isRefusal = response.status >= 400 && response.status < 500;
      return { outcome: isRefusal ? 'refused' : 'failed', reason: describe(response) };
    }
    return { outcome: 'failed', reason: `the size at the witness changed during ${ATTEMPTS} requests` };
  }

  async function latestAt({ url, key }: WitnessAddress, logKeys: readonly NoteKey[]): Promise<WitnessedOutcome> {
    const origin = logKeys[0]?.name ?? '';
    const response = await send(`${url}${checkpointPath(origin)}`, AbortSignal.timeout(timeoutMs));
    if (response.status === 404) return { outcome: 'none' };
    if (response.status !== 200) return { outcome: 'failed', reason: describe(response) };
    for (const logKey of logKeys) {
      const opened = openCheckpoint(response.text, logKey, [key]);
      if (opened !== undefined && opened.cosignatures.length > 0)
        return { outcome: 'known', size: opened.size, root: opened.root, signed: response.text };
    }
    return { outcome: 'failed', reason: 'the checkpoint has no valid signature of the log and the witness' };
  }

  return {
    async cosign(checkpoint, read) {
      const { text, signatures } = parseNote(checkpoint);
      parseCheckpoint(text);
      const outcomes = await Promise.all(witnesses.map((witness) => orFailed(cosignAt(witness, checkpoint, read))));
      const added = outcomes.flatMap((each) => (each.outcome === 'cosigned' ? [each.cosignature.signature] : []));
      const kept = signatures.filter(({ name, id }) => !added.some((each) => each.name === name && each.id === id));
      return { checkpoint: formatNote({ text, signatures: [...kept, ...added] }), outcomes };
    },
    latest: (logKeys) => Promise.all(witnesses.map((witness) => orFailed(latestAt(witness, logKeys)))),
  };
}

/** Converts an error of the network, of the tiles or of a response to an outcome. */
async function orFailed<Outcome>(outcome: Promise<Outcome>): Promise<Outcome | { readonly outcome: 'failed'; readonly reason: string }> {
  try {
    return await outcome;
  } catch (error) {
    const { message, name, cause } = error as Error;
    const reason = name === 'TimeoutError' ? 'no response in time' : cause instanceof Error ? `${message}: ${cause.message}` : message;
    return { outcome: 'failed', reason: reason.slice(0, REASON_CHARACTERS) };
  }
}

/** Returns the valid cosignature of a witness in a response. Ignores lines of other keys. @throws FormatError  a line is malformed */
function cosignatureIn(response: string, text: string, key: NoteKey): VerifiedSignature | undefined {
  const lines = response.endsWith('\n') ? response.slice(0, -1).split('\n') : [];
  return lines.map(parseSignatureLine).flatMap((signature) => verifySignature(key, text, signature) ?? [])[0];
}

function describe({ status, text }: Response): string {
  return `status ${status}: ${text.trim().slice(0, REASON_CHARACTERS)}`;
}

/** Sends a request. Follows no redirect, and reads at most 132 KiB of the response. @throws Error  no valid response in time */
async function send(url: string, signal: AbortSignal, body?: string): Promise<Response> {
  const response = await fetch(url, { signal, redirect: 'error', ...(body !== undefined && { method: 'POST', body }) });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > ADD_CHECKPOINT_BYTES_MAX) throw new FormatError('the response of the witness is too large');
    chunks.push(chunk);
  }
  const text = decodeUtf8(Buffer.concat(chunks));
  if (text === undefined) throw new FormatError('the response of the witness is not UTF-8');
  return { status: response.status, type: response.headers.get('content-type') ?? '', text };
}

function requireWitness(text: string, { name, type }: NoteKey): void {
  const url = URL.parse(text);
  const isPlain = url !== null && `${url.username}${url.password}${url.search}${url.hash}` === '' && !text.endsWith('/');
  if (!isPlain || !['http:', 'https:'].includes(url.protocol))
    throw new FormatError(`the URL of witness '${name}' must be an http or https URL without a user name, query and final slash`);
  if (type !== 'witness') throw new FormatError(`the key '${name}' is not the key of a witness`);
}
