/** Identity of a transparency log of trail records: origin, keys, signed checkpoints, and the first entry of a later log. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Vault } from '#core/vault.ts';
import { keyOwner, type TrailLogRow } from '#store/trail/log/trail-log.ts';
import { type Appended, appendEntries, EMPTY_TREE, type TreeHead } from '#tlog/append.ts';
import { formatCheckpoint } from '#tlog/checkpoint.ts';
import { formatNote, signText } from '#tlog/note.ts';
import { createSigningKey, formatSigningKey, formatVkey, parseSigningKey, type SigningKey } from '#tlog/note-key.ts';

/** Number of random bytes in an origin, so that the logs of two databases never have the same origin. */
const RANDOM_BYTES = 8;
const HOLDER_NONE = '';

/**
 * Returns the origin of the first log of a database.
 *
 *     firstOrigin('meet.example.com', random)   → 'meet.example.com/trail/8f0e2c1b7a695d43/1'
 */
export function firstOrigin(host: string, random: (bytes: number) => Uint8Array): string {
  return `${host}/trail/${Buffer.from(random(RANDOM_BYTES)).toString('hex')}/1`;
}

/** Returns the origin of the log with the next epoch. */
function nextOrigin(origin: string, epoch: number): string {
  return `${origin.slice(0, origin.lastIndexOf('/'))}/${epoch}`;
}

/** Facts of the loss that a later log names in its first entry. */
export interface Loss {
  /** Signed checkpoint of the log before, as a witness returned it. */
  readonly checkpoint: string;
  /** Reason of the operator. */
  readonly reason: string;
}

/** First entry of a log that continues after a loss. Its first byte differs from the version of a trail leaf. */
export interface Opening extends Loss {
  readonly previousOrigin: string;
  /** Number of leaves and root of the log before, as restored. */
  readonly restoredSize: number;
  readonly restoredRoot: string;
  readonly at: string;
}

/** Parses the first entry of a later log. @throws Error  the bytes are not such an entry */
export function parseOpening(bytes: Uint8Array): Opening {
  const { type, ...opening } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Opening & { readonly type?: unknown };
  if (type !== OPENING_TYPE) throw new Error('the first entry of the trail log is not an opening');
  return opening;
}

const OPENING_TYPE = 'belfry trail log restored';

interface NewLog {
  readonly row: TrailLogRow;
  readonly tiles: Appended['tiles'];
  /**
   * Signed checkpoint of this tree. So a log without a signed checkpoint was changed, and is not new. It is signed before the commit,
   * because no other tree of the new key exists.
   */
  readonly signed: string;
}

/** Creates the first log of a database, without leaves. */
export function newLog(origin: string, vault: Vault, now: TrailLogRow['createdAt']): NewLog {
  return signedLog(rowOf(1, origin, vault, now, EMPTY_TREE), [], vault);
}

function signedLog(row: TrailLogRow, tiles: NewLog['tiles'], vault: Vault): NewLog {
  return { row, tiles, signed: signCheckpoint(signingKeyOf(row, vault), row) };
}

/** Creates the log after a loss. Its only leaf names the log before and the loss. */
export async function nextLog(
  previous: TrailLogRow,
  { checkpoint, reason }: Loss,
  vault: Vault,
  now: TrailLogRow['createdAt'],
): Promise<NewLog> {
  const opening: Opening = {
    previousOrigin: previous.origin,
    checkpoint,
    restoredSize: previous.size,
    restoredRoot: Buffer.from(previous.root).toString('base64'),
    reason,
    at: new Date(now).toISOString(),
  };
  const entry = Buffer.from(JSON.stringify({ type: OPENING_TYPE, ...opening }));
  const epoch = previous.epoch + 1;
  const { tiles, ...head } = await appendEntries(EMPTY_TREE, [entry], async () => new Uint8Array());
  return signedLog(rowOf(epoch, nextOrigin(previous.origin, epoch), vault, now, head, entry), tiles, vault);
}

function rowOf(
  epoch: number,
  origin: string,
  vault: Vault,
  createdAt: TrailLogRow['createdAt'],
  { size, root }: TreeHead,
  opening?: Uint8Array,
): TrailLogRow {
  const signingKey = createSigningKey(origin, 'log');
  return {
    epoch,
    origin,
    vkey: formatVkey(signingKey.key),
    sealedKey: vault.seal(formatSigningKey(signingKey), keyOwner(epoch)),
    createdAt,
    ...omitUndefined({ opening }),
    size,
    root,
    fence: 0,
    holder: HOLDER_NONE,
    heldUntil: 0 as TrailLogRow['heldUntil'],
  };
}

/** Opens the signing key of a log. @throws Error  another operator key sealed it */
export function signingKeyOf({ epoch, sealedKey }: Pick<TrailLogRow, 'epoch' | 'sealedKey'>, vault: Vault): SigningKey {
  return parseSigningKey(vault.open(sealedKey, keyOwner(epoch)));
}

/** Returns a checkpoint of a tree with the signature of the log. Call it only after the commit of the tree is durable. */
export function signCheckpoint(signingKey: SigningKey, { size, root }: TreeHead): string {
  const text = formatCheckpoint({ origin: signingKey.key.name, size, root });
  return formatNote({ text, signatures: [signText(signingKey, text, 0)] });
}
