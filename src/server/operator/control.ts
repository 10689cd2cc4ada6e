import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Lease } from '#access/lease.ts';
import { type AccountId, NO_ACCOUNT } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Store } from '#store/store.ts';
import { isPlace } from '#store/trail/trail.ts';
import { type NewAdministrator, OPERATOR_ACCOUNT } from '../core/first-start.ts';
import { GRACE_MS } from '../edge/bare-answer.ts';
import { type AccountParts, operatorAccounts, operatorEvent } from './accounts.ts';
import type { OperatorKeyChange, OperatorKeyCommands } from './operator-key.ts';
import { type PresentServer, presentServers } from './presence.ts';

/**
 * Command of the operator on the server's machine. It arrives over a Unix socket in the data folder, which only the server's user can
 * open. It needs no signature. Each change is recorded in the trail of its account. Requirement INF-1.
 */
export type ControlRequest =
  /** Creates an account with its root user and an administrator `admin`. */
  | { readonly command: 'account create'; readonly name: string }
  /** Lists all accounts in the order of their creation. */
  | { readonly command: 'account list' }
  /** Break-glass: creates an administrator for an account, regardless of the account's policies. */
  | { readonly command: 'account restore-administrator'; readonly accountId: string }
  /** Lets an account that an organization created leave it. */
  | { readonly command: 'account make-standalone'; readonly accountId: string }
  /** Creates a new key and re-seals all secrets with it. */
  | { readonly command: 'operator-key rotate' }
  /** Deletes all keys except the newest. */
  | { readonly command: 'operator-key forget-old' }
  /** Lists records of requests that prove no identity and name no account, newest first. `before` is `next` of the previous page. */
  | { readonly command: 'trail unproven'; readonly limit: number; readonly before?: string }
  /** Lists the servers on this database, oldest first. */
  | { readonly command: 'server list' }
  /** Removes a server that has stopped permanently, so that no withdrawal waits for it. A running server registers again. */
  | { readonly command: 'server remove'; readonly serverId: string };

export type ControlReply =
  | {
      readonly ok: true;
      readonly servers?: readonly PresentServer[];
      readonly administrator?: NewAdministrator;
      readonly accounts?: readonly { readonly accountId: string; readonly name: string }[];
      readonly operatorKey?: OperatorKeyChange;
      /** Records as JSON strings. A page with `next` can have fewer records than `limit`, or none. */
      readonly records?: readonly string[];
      readonly next?: string;
    }
  | { readonly ok: false; readonly error: string };

const COMMANDS: readonly ControlRequest['command'][] = [
  ...(['account create', 'account list', 'account restore-administrator', 'account make-standalone'] as const),
  ...(['operator-key rotate', 'operator-key forget-old', 'trail unproven', 'server list', 'server remove'] as const),
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

export interface ControlParts extends AccountParts {
  readonly lease: Pick<Lease, 'remove' | 'serverId' | 'servers'>;
  readonly operatorKey: OperatorKeyCommands;
  /** Addresses of this server's listeners, separated by spaces. */
  readonly address: () => string;
}

/** Returns the path of the control socket in a data folder. */
export function controlSocket(dataFolder: string): string {
  return join(dataFolder, 'control', 'belfry.sock');
}

/** Listens for the operator's commands. `times` replaces the default times in tests. */
export async function listenForControl(dataFolder: string, parts: ControlParts, times = CONTROL_TIMES): Promise<Server> {
  const path = controlSocket(dataFolder);
  const folder = join(dataFolder, 'control');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!lstatSync(folder).isDirectory()) throw new Error(`'${folder}' is a symbolic link; replace it with a folder of its own`);
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
      // A command has no time limit: re-sealing many secrets takes a while.
      clearTimeout(timer);
      perform(text.slice(0, end), parts).then(respond, (error) => respond({ ok: false, error: (error as Error).message }));
    }
  });
}

/**
 * Sends one command to the server of a data folder.
 *
 * @throws Error  no server runs on the data folder, or it closes the connection without a response
 */
export function askControl(dataFolder: string, request: ControlRequest): Promise<ControlReply> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(controlSocket(dataFolder));
    let text = '';
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('end', () => {
      try {
        resolve(JSON.parse(text) as ControlReply);
      } catch {
        reject(new Error('the server closed the connection without a response'));
      }
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
          ? new Error(`no server is running on the data folder '${dataFolder}'; start it, or set its folder with --data`)
          : error,
      ),
    );
  });
}

async function perform(line: string, parts: ControlParts): Promise<ControlReply> {
  const { store, region, now, lease, operatorKey, address } = parts;
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
      return unprovenPage(request, { store, region, now: now() });
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

async function removeServer(serverId: string, parts: ControlParts): Promise<ControlReply> {
  const { lease, store } = parts;
  if (serverId === lease.serverId())
    return { ok: false, error: `server '${serverId}' is the one that runs this command; stop it, which also removes it` };
  const outcome = await lease.remove(serverId);
  if (outcome === 'absent') return { ok: false, error: `server '${serverId.slice(0, 40)}' does not exist` };
  await store.transaction(async (tx) => {
    const operatorAccount = (await tx.meta.get(OPERATOR_ACCOUNT)) as AccountId | undefined;
    if (operatorAccount !== undefined) await tx.trail.append(operatorEvent(parts, operatorAccount, 'RemoveServer', { serverId }));
  });
  return { ok: true };
}

/** Maximum records in one page of `trail unproven`. */
const UNPROVEN_PAGE_MAX = 100;

async function unprovenPage(
  { limit, before }: Extract<ControlRequest, { readonly command: 'trail unproven' }>,
  { store, region, now }: { readonly store: Store; readonly region: string; readonly now: Instant },
): Promise<ControlReply> {
  if (!Number.isInteger(limit) || limit < 1 || limit > UNPROVEN_PAGE_MAX)
    return { ok: false, error: `the limit is '${limit}'; it must be a whole number from 1 to ${UNPROVEN_PAGE_MAX}` };
  if (before !== undefined && !isPlace(before)) return { ok: false, error: 'the page token is invalid' };
  const { rows, next } = await store.transaction((tx) =>
    tx.trail.lookup({ accountId: NO_ACCOUNT, region, from: instant(0), to: now, limit, ...(before !== undefined && { before }) }),
  );
  return { ok: true, records: rows.map(({ document }) => document), ...(next !== undefined && { next }) };
}
