import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Lease } from '#access/lease.ts';
import { type AccountId, NO_ACCOUNT } from '#core/arn.ts';
import { toBase32 } from '#core/base32.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Vault } from '#core/vault.ts';
import type { RegisteredServer } from '#store/engine/servers.ts';
import type { Store } from '#store/store.ts';
import { serviceEventRow } from '#trail/service-event.ts';
import {
  makeAccount,
  makeAdministrator,
  type NewAdministrator,
  newAccountId,
  newAdministrator,
  OPERATOR_ACCOUNT,
  type Random,
} from '../core/first-start.ts';
import { GRACE_MS } from '../edge/bare-answer.ts';
import type { OperatorKeyChange, OperatorKeyCommands } from './operator-key.ts';

/**
 * What only the operator may do, at the machine itself: over a socket in the data folder that nobody else can open. It is
 * no network port (INF-1), needs no signature, and every command is loud in the trail of the account it concerns.
 */
export type ControlRequest =
  /** Makes an account with its root user and an administrator `admin`. */
  | { readonly command: 'account create'; readonly name: string }
  /** Every account, in order of making. */
  | { readonly command: 'account list' }
  /** Break-glass: gives an account an administrator again, whatever its policies have become. */
  | { readonly command: 'account restore-administrator'; readonly accountId: string }
  /** Lets an account that an organization created leave it. */
  | { readonly command: 'account make-standalone'; readonly accountId: string }
  /** A new key, and every secret sealed anew under it. */
  | { readonly command: 'operator-key rotate' }
  /** Drops every key but the newest. */
  | { readonly command: 'operator-key forget-old' }
  /** Records of requests that prove no identity and name no account, the newest first. `before` is `next` of the page before. */
  | { readonly command: 'trail unproven'; readonly limit: number; readonly before?: string }
  /** The servers on this database, the oldest first. */
  | { readonly command: 'server list' }
  /** Takes out a server that is gone for ever, so that no withdrawal waits for it. One that still runs registers anew. */
  | { readonly command: 'server remove'; readonly serverId: string };

export type ControlReply =
  | {
      readonly ok: true;
      readonly servers?: readonly (RegisteredServer & { readonly own: boolean })[];
      readonly administrator?: NewAdministrator;
      readonly accounts?: readonly { readonly accountId: string; readonly name: string }[];
      readonly operatorKey?: OperatorKeyChange;
      /** Records as JSON text. A page may have fewer than `limit`, even none, and still a `next`. */
      readonly records?: readonly string[];
      readonly next?: string;
    }
  | { readonly ok: false; readonly error: string };

const LINE_MAX_BYTES = 65_536;
export interface ControlTimes {
  /** From the connection to the end of the command line. */
  readonly lineMs: number;
  /** From the response to the destruction of the connection. */
  readonly graceMs: number;
}

const CONTROL_TIMES: ControlTimes = { lineMs: 10_000, graceMs: GRACE_MS };
const CONNECTIONS_MAX = 16;
const EVENT_SOURCE = 'belfry.operator';

export interface ControlParts {
  readonly store: Store;
  readonly vault: Vault;
  readonly region: string;
  readonly now: () => Instant;
  readonly newId: () => string;
  readonly random: Random;
  readonly lease: Pick<Lease, 'remove' | 'serverId' | 'servers'>;
  readonly operatorKey: OperatorKeyCommands;
}

/** Where the socket of a data folder is. */
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

/** Sends one command to the server of a data folder. @throws Error where none runs there */
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
        reject(new Error('the server ended the connection without an answer'));
      }
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
          ? new Error(`no server is running on the data folder ${dataFolder}; start it, or name its folder with --data`)
          : error,
      ),
    );
  });
}

async function perform(
  line: string,
  { store, vault, region, now, newId, random, lease, operatorKey }: ControlParts,
): Promise<ControlReply> {
  const request = JSON.parse(line) as ControlRequest;
  const at = now();
  const event = (accountId: AccountId, eventName: string, details: Readonly<Record<string, unknown>>) =>
    serviceEventRow({
      accountId,
      region,
      now: at,
      eventId: newId(),
      eventName,
      eventSource: EVENT_SOURCE,
      invokedBy: 'operator',
      details,
    });

  switch (request.command) {
    case 'account create': {
      if (typeof request.name !== 'string' || request.name.length < 1 || request.name.length > 50)
        return { ok: false, error: 'An account name has 1 to 50 characters.' };
      const administrator = newAdministrator(newAccountId(random), 'admin', random);
      await store.transaction(async (tx) => {
        if ((await tx.identity.get(administrator.accountId, 'account', administrator.accountId)) !== undefined)
          throw new Error('that account id is taken; try again');
        await makeAccount(tx, { vault, random, now: at }, administrator, request.name);
        await tx.trail.append(
          event(administrator.accountId, 'CreateAccount', {
            accountName: request.name,
            administrator: administrator.userName,
            accessKeyId: administrator.accessKeyId,
          }),
        );
      });
      return { ok: true, administrator };
    }
    case 'account list': {
      const { changes } = await store.transaction((tx) => tx.identity.changesSince(0));
      const accounts = changes.flatMap((change) =>
        change.kind === 'account' && change.record !== undefined ? [change.record as { accountId: string; name: string }] : [],
      );
      return { ok: true, accounts: accounts.map(({ accountId, name }) => ({ accountId, name })) };
    }
    case 'account restore-administrator': {
      const accountId = String(request.accountId) as AccountId;
      const administrator = newAdministrator(accountId, `break-glass-${toBase32(random(5)).toLowerCase()}`, random);
      const restored = await store.transaction(async (tx) => {
        if ((await tx.identity.get(accountId, 'account', accountId)) === undefined) return false;
        await makeAdministrator(tx, { vault, random, now: at }, administrator);
        await tx.trail.append(
          event(accountId, 'RestoreAdministrator', {
            breakGlass: true,
            administrator: administrator.userName,
            accessKeyId: administrator.accessKeyId,
          }),
        );
        return true;
      });
      if (!restored) return { ok: false, error: `There is no account ${accountId.slice(0, 20)}.` };
      console.error(`belfry: BREAK-GLASS: the operator restored an administrator of account ${accountId}: ${administrator.userName}`);
      return { ok: true, administrator };
    }
    case 'account make-standalone': {
      const accountId = String(request.accountId) as AccountId;
      const found = await store.transaction(async (tx) => {
        const account = await tx.identity.get(accountId, 'account', accountId);
        if (account === undefined) return false;
        await tx.identity.put(accountId, 'account', accountId, { ...account, standalone: true });
        await tx.trail.append(event(accountId, 'MakeAccountStandalone', {}));
        return true;
      });
      return found ? { ok: true } : { ok: false, error: `There is no account ${accountId.slice(0, 20)}.` };
    }
    case 'operator-key rotate':
      return { ok: true, operatorKey: await operatorKey.rotate() };
    case 'operator-key forget-old':
      return { ok: true, operatorKey: await operatorKey.forgetOlder() };
    case 'trail unproven':
      return unprovenPage(request, { store, region, now: at });
    case 'server list': {
      const servers = await lease.servers();
      return { ok: true, servers: servers.map((server) => ({ ...server, own: server.id === lease.serverId() })) };
    }
    case 'server remove': {
      const serverId = String(request.serverId);
      if (serverId === lease.serverId()) return { ok: false, error: 'That is this server: stop it, and it takes itself out.' };
      const outcome = await lease.remove(serverId);
      if (outcome === 'absent') return { ok: false, error: `There is no server ${serverId.slice(0, 40)}.` };
      await store.transaction(async (tx) => {
        const operatorAccount = (await tx.meta.get(OPERATOR_ACCOUNT)) as AccountId | undefined;
        if (operatorAccount !== undefined) await tx.trail.append(event(operatorAccount, 'RemoveServer', { serverId }));
      });
      return { ok: true };
    }
    default:
      return { ok: false, error: 'That is no command.' };
  }
}

/** Records of a page of `trail unproven`. */
const UNPROVEN_PAGE_MAX = 100;

async function unprovenPage(
  { limit, before }: Extract<ControlRequest, { readonly command: 'trail unproven' }>,
  { store, region, now }: { readonly store: Store; readonly region: string; readonly now: Instant },
): Promise<ControlReply> {
  if (!Number.isInteger(limit) || limit < 1 || limit > UNPROVEN_PAGE_MAX)
    return { ok: false, error: `The limit is ${limit}; it must be a whole number from 1 to ${UNPROVEN_PAGE_MAX}.` };
  if (before !== undefined && !/^[0-9a-z]{1,12}$/.test(before)) return { ok: false, error: 'The page token is not valid.' };
  const { rows, next } = await store.transaction((tx) =>
    tx.trail.lookup({ accountId: NO_ACCOUNT, region, from: instant(0), to: now, limit, ...(before !== undefined && { before }) }),
  );
  return { ok: true, records: rows.map(({ document }) => document), ...(next !== undefined && { next }) };
}
