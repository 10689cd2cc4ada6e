/** The decisions of a witness: which checkpoints it cosigns. This module has no HTTP. */
import type { TreeHead } from '../append.ts';
import { type OpenedCheckpoint, openCheckpoint, parseCheckpoint } from '../checkpoint.ts';
import { EMPTY_ROOT } from '../hash.ts';
import { formatNote, formatSignatureLine, parseNote, signText } from '../note.ts';
import { FormatError, type SigningKey } from '../note-key.ts';
import { verifyConsistency } from '../verify-path.ts';
import { type AddCheckpoint, hashOfOrigin, parseAddCheckpoint } from './add-checkpoint.ts';
import type { Cosigned, WitnessFolder } from './witness-folder.ts';

/** Response to `add-checkpoint`, by its HTTP status. */
export type AddCheckpointReply =
  /** The witness cosigned the checkpoint. `cosignature` is a signature line. */
  | { readonly status: 200; readonly cosignature: string }
  /** 400: malformed · 403: no valid signature of the log · 404: unknown log · 422: the tree does not continue the cosigned tree. */
  | { readonly status: 400 | 403 | 404 | 422; readonly reason: string }
  /** `old` is not the size of the latest cosigned tree. `size` is, or 0. */
  | { readonly status: 409; readonly size: number };

/** A witness. Each function is synchronous, so requests do not interleave. */
export interface Witness {
  /** Decides a request. @throws Error  the state cannot be read or written; then the witness did not cosign */
  readonly addCheckpoint: (body: string) => AddCheckpointReply;
  /** Returns the latest checkpoint that the witness cosigned for a log, or undefined if the log is unknown or has none. */
  readonly checkpoint: (originHash: string) => string | undefined;
}

/** Parts of a witness. */
export interface WitnessParts {
  readonly signingKey: SigningKey;
  readonly folder: Pick<WitnessFolder, 'log' | 'latest' | 'setLatest'>;
  /** Current time in milliseconds since 1970. */
  readonly now: () => number;
  /**
   * Reports a checkpoint that the log signed although it does not continue the cosigned tree: the log forked. The line
   * contains the signed checkpoint, which is evidence. At most one report per minute and log.
   */
  readonly onFork: (line: string) => void;
}

/** Shortest time between two reports of forks of one log, so that an attacker with its key cannot fill the witness's log. */
const FORK_REPORT_EVERY_MS = 60_000;

/**
 * Creates a witness. For each log, it cosigns only trees that continue the latest tree that it cosigned. It compares
 * sizes and stores the new checkpoint in one step, before it returns the cosignature. So no two cosigned trees of a log
 * contradict each other, even if an attacker has the key of the log.
 *
 * The checks are in this order: 400 malformed, 404, 403, 400 `old` above the new size, 409, 422.
 * Source: C2SP tlog-witness 1.0.0, "add-checkpoint". Assumed: the order of 404 and 403 before 409, which follows the text.
 */
export function createWitness({ signingKey, folder, now, onFork }: WitnessParts): Witness {
  const cosigned = new Map<string, Cosigned | undefined>();
  /** Time of the last report of a fork, by the hash of the origin. */
  const reported = new Map<string, number>();

  function latest(originHash: string): Cosigned | undefined {
    if (!cosigned.has(originHash)) cosigned.set(originHash, folder.latest(originHash, signingKey.key));
    return cosigned.get(originHash);
  }

  /** Opens a checkpoint of a known log, or returns the response that refuses it. */
  function open({ checkpoint }: AddCheckpoint): OpenedCheckpoint | Extract<AddCheckpointReply, { readonly reason: string }> {
    const { origin } = parseCheckpoint(parseNote(checkpoint).text);
    const log = folder.log(hashOfOrigin(origin));
    if (log?.origin !== origin) return { status: 404, reason: `unknown log '${origin}'` };
    for (const key of log.keys) {
      const opened = openCheckpoint(checkpoint, key);
      if (opened !== undefined) return opened;
    }
    return { status: 403, reason: `no valid signature of the log '${origin}'` };
  }

  function reportFork(originHash: string, { origin, size, note, logSignature }: OpenedCheckpoint, oldSize: number): void {
    if (now() - (reported.get(originHash) ?? Number.NEGATIVE_INFINITY) < FORK_REPORT_EVERY_MS) return;
    reported.set(originHash, now());
    const signed = formatNote({ text: note.text, signatures: [logSignature.signature] });
    onFork(
      `the log '${origin}' signed a tree of ${size} leaves that does not continue its cosigned tree of ${oldSize} leaves:\n${signed.trimEnd()}`,
    );
  }

  function decide(request: AddCheckpoint): AddCheckpointReply {
    const opened = open(request);
    if ('status' in opened) return opened;
    const { origin, size } = opened;
    if (request.oldSize > size) return { status: 400, reason: `the old size ${request.oldSize} exceeds the size ${size}` };
    const originHash = hashOfOrigin(origin);
    const before = latest(originHash);
    if (request.oldSize !== (before?.size ?? 0)) return { status: 409, size: before?.size ?? 0 };
    if (!continues(before, opened, request.proof)) {
      reportFork(originHash, opened, request.oldSize);
      return { status: 422, reason: `the tree of ${size} leaves does not continue the cosigned tree of ${request.oldSize} leaves` };
    }
    const cosignature = signText(signingKey, opened.note.text, Math.floor(now() / 1000));
    const signed = formatNote({ text: opened.note.text, signatures: [opened.logSignature.signature, cosignature] });
    // An equal tree renews only the time, so it needs no write.
    const isRenewal = before !== undefined && before.size === size;
    if (!isRenewal) folder.setLatest(originHash, signed);
    cosigned.set(originHash, { size, root: opened.root, signed });
    return { status: 200, cosignature: formatSignatureLine(cosignature) };
  }

  return {
    addCheckpoint(body) {
      try {
        return decide(parseAddCheckpoint(body));
      } catch (error) {
        if (error instanceof FormatError) return { status: 400, reason: error.message };
        throw error;
      }
    },
    checkpoint(originHash) {
      return folder.log(originHash) === undefined ? undefined : latest(originHash)?.signed;
    },
  };
}

/** Reports whether a tree begins with the cosigned tree, or is the first one. */
function continues(before: TreeHead | undefined, { size, root }: TreeHead, proof: readonly Uint8Array[]): boolean {
  if (size === 0) return proof.length === 0 && Buffer.compare(root, EMPTY_ROOT) === 0;
  if (before === undefined || before.size === 0) return proof.length === 0;
  return verifyConsistency({ oldSize: before.size, oldRoot: before.root, size, root }, proof);
}
