import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Lease } from '#access/lease.ts';
import { type AccountId, NO_ACCOUNT } from '#core/arn.ts';
import type { Vault } from '#core/vault.ts';
import { trailRetention } from '#store/trail/trail-retention.ts';
import { isPlace } from '#store/trail/trail-search.ts';
import { OPERATOR_ACCOUNT } from '../core/first-start.ts';
import type { TrailLogGate } from '../core/trail-log-gate.ts';
import { GRACE_MS } from '../edge/bare-answer.ts';
import { type AccountParts, operatorAccounts, operatorEvent } from './accounts.ts';
import { type ControlReply, type ControlRequest, controlSocket } from './ask-control.ts';
import { type BucketCommandParts, removeBucketPolicy } from './buckets.ts';
import { type ChimeAccountParts, listDisabledChimeAccounts, restoreChimeAccount } from './chime-accounts.ts';
import { type ChimeImportParts, importChime } from './chime-import.ts';
import { addEndpoint, type EndpointCommandParts, listEndpoints, removeEndpoint } from './endpoints.ts';
import { importNumbers, listInventory, removeNumbers } from './numbers.ts';
import type { OperatorKeyCommands } from './operator-key.ts';
import { presentServers } from './presence.ts';
import { listRetention, type RetentionCommandParts, setRetention } from './trail-retention.ts';
import { addTarget, listTargets, removeTarget, type TargetCommandParts } from './trail-targets.ts';

const COMMANDS: readonly ControlRequest['command'][] = [
  ...(['account create', 'account list', 'account restore-administrator', 'account make-standalone'] as const),
  ...(['operator-key rotate', 'operator-key forget-old', 'trail unproven'] as const),
  ...(['trail target add', 'trail target list', 'trail target remove'] as const),
  ...(['endpoint add', 'endpoint list', 'endpoint remove', 'bucket remove-policy'] as const),
  ...(['numbers import', 'numbers list', 'numbers remove'] as const),
  ...(['chime import', 'chime disabled-accounts', 'chime restore-account'] as const),
  ...(['trail retention', 'trail set-retention', 'trail restored', 'server list', 'server remove'] as const),
];

const LINE_MAX_BYTES = 65_536;
export interface ControlTimes {
  /** Longest time from the connection to the end of the command line. */
  readonly lineMs: number;
  /** Time from the response to the destruction of the connection. */
  readonly graceMs: number;
}

const CONTROL_TIMES: ControlTimes = { lineMs: 10_000, graceMs: GRACE_MS };
const CONNECTIONS_MAX = 16;

export interface ControlParts
  extends AccountParts,
    RetentionCommandParts,
    TargetCommandParts,
    EndpointCommandParts,
    BucketCommandParts,
    ChimeAccountParts,
    ChimeImportParts {
  readonly vault: Vault;
  readonly lease: Pick<Lease, 'remove' | 'serverId' | 'servers'>;
  readonly operatorKey: OperatorKeyCommands;
  readonly restored: TrailLogGate['restored'];
  /** Addresses of this server's listeners, separated by spaces. */
  readonly address: () => string;
}

/** Listens for the operator's commands. `times` replaces the default times in tests. */
export async function listenForControl(dataFolder: string, parts: ControlParts, times = CONTROL_TIMES): Promise<Server> {
  const path = controlSocket(dataFolder);
  const folder = join(dataFolder, 'control');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!lstatSync(folder).isDirectory()) throw new Error(`'${folder}' is a symbolic link; replace it with a real folder`);
  chmodSync(folder, 0o700);
  rmSync(path, { force: true });
  const server = createServer((socket) => serveCommand(socket, parts, times));
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return server;
}

/** Reads one command line, runs it, responds and closes the connection. Destroys a connection whose line is too long or too late. */
function serveCommand(socket: Socket, parts: ControlParts, { lineMs, graceMs }: ControlTimes): void {
  let text = '';
  let isRead = false;
  let timer = setTimeout(() => socket.destroy(), lineMs);
  const respond = (reply: ControlReply) => {
    if (socket.destroyed) return;
    timer = setTimeout(() => socket.destroy(), graceMs);
    socket.end(`${JSON.stringify(reply)}\n`);
  };
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  socket.on('close', () => clearTimeout(timer));
  socket.on('data', (chunk: string) => {
    if (isRead) return;
    text += chunk;
    const end = text.indexOf('\n');
    if (end > LINE_MAX_BYTES || (end < 0 && text.length > LINE_MAX_BYTES)) socket.destroy();
    else if (end >= 0) {
      isRead = true;
      // A command has no time limit, because re-encrypting many secrets takes a while.
      clearTimeout(timer);
      perform(text.slice(0, end), parts).then(respond, (error) => respond({ ok: false, error: (error as Error).message }));
    }
  });
}

async function perform(line: string, parts: ControlParts): Promise<ControlReply> {
  const { now, lease, operatorKey, address } = parts;
  const request = JSON.parse(line) as ControlRequest;
  const accounts = operatorAccounts(parts);
  switch (request.command) {
    case 'account create':
      return await accounts.create(request.name);
    case 'account list':
      return await accounts.list();
    case 'account restore-administrator':
      return await accounts.restoreAdministrator(String(request.accountId) as AccountId);
    case 'account make-standalone':
      return await accounts.makeStandalone(String(request.accountId) as AccountId);
    case 'operator-key rotate':
      return { ok: true, operatorKey: await operatorKey.rotate() };
    case 'operator-key forget-old':
      return { ok: true, operatorKey: await operatorKey.forgetOlder() };
    case 'trail unproven':
      return unprovenPage(request, parts);
    case 'trail retention':
      return { ok: true, retention: await listRetention(parts) };
    case 'trail set-retention':
      return replyTo(await setRetention(parts, String(request.accountId) as AccountId, request.days));
    case 'trail target add':
      return replyTo(await addTarget(parts, request.target));
    case 'trail target list':
      return { ok: true, targets: await listTargets(parts) };
    case 'trail target remove':
      return replyTo(await removeTarget(parts, String(request.bucket)));
    case 'endpoint add':
      return replyTo(await addEndpoint(parts, request.endpoint));
    case 'endpoint list':
      return { ok: true, endpoints: await listEndpoints(parts) };
    case 'endpoint remove':
      return replyTo(await removeEndpoint(parts, request.endpoint));
    case 'numbers import':
      return { ok: true, imported: await importNumbers(parts, request.rows, request.isPreview) };
    case 'numbers list':
      return { ok: true, numbers: await listInventory(parts, request.after) };
    case 'numbers remove':
      return { ok: true, problems: await removeNumbers(parts, request.numbers) };
    case 'chime import':
      return { ok: true, chimeImported: await importChime(parts, request) };
    case 'chime disabled-accounts':
      return { ok: true, disabledChimeAccounts: await listDisabledChimeAccounts(parts) };
    case 'chime restore-account':
      return replyTo(await restoreChimeAccount(parts, String(request.chimeAccountId)));
    case 'bucket remove-policy':
      return replyTo(await removeBucketPolicy(parts, String(request.bucket)));
    case 'trail restored':
      return await parts.restored(request.reason);
    case 'server list':
      return { ok: true, servers: presentServers(await lease.servers(), { id: lease.serverId(), address: address() }, now()) };
    case 'server remove':
      return await removeServer(String(request.serverId), parts);
    default:
      return {
        ok: false,
        error: `unknown command '${String((request as { command?: unknown }).command).slice(0, 40)}' (commands: ${COMMANDS.join(', ')})`,
      };
  }
}

/** Converts the reason of a refusal to a reply. */
function replyTo(refused: string | undefined): ControlReply {
  return refused === undefined ? { ok: true } : { ok: false, error: refused };
}

async function removeServer(serverId: string, parts: ControlParts): Promise<ControlReply> {
  const { lease, store } = parts;
  if (serverId === lease.serverId())
    return { ok: false, error: `server '${serverId}' runs this command and cannot remove itself; stop the server, which also removes it` };
  const outcome = await lease.remove(serverId);
  if (outcome === 'absent') return { ok: false, error: `server '${serverId.slice(0, 40)}' does not exist` };
  await store.transaction(async (tx) => {
    const operatorAccount = (await tx.meta.get(OPERATOR_ACCOUNT)) as AccountId | undefined;
    if (operatorAccount !== undefined) await tx.trail.append(operatorEvent(parts, operatorAccount, 'RemoveServer', { serverId }));
  });
  return { ok: true };
}

/** Maximum number of records in one page of `trail unproven`. */
const UNPROVEN_PAGE_MAX = 100;

async function unprovenPage(
  { limit, before }: Extract<ControlRequest, { readonly command: 'trail unproven' }>,
  { store, region, eventHistoryDays, now: clock }: RetentionCommandParts,
): Promise<ControlReply> {
  if (!Number.isInteger(limit) || limit < 1 || limit > UNPROVEN_PAGE_MAX)
    return { ok: false, error: `the limit is '${limit}'; it must be a whole number from 1 to ${UNPROVEN_PAGE_MAX}` };
  if (before !== undefined && !isPlace(before)) return { ok: false, error: 'the page token is invalid' };
  const now = clock();
  const { rows, next } = await store.transaction(async (tx) => {
    const from = await tx.of(trailRetention).startOf(NO_ACCOUNT, eventHistoryDays, now);
    return tx.trail.lookup({ accountId: NO_ACCOUNT, region, from, to: now, limit, ...(before !== undefined && { before }) });
  });
  return { ok: true, records: rows.map(({ document }) => document), ...(next !== undefined && { next }) };
}
