/** A server in this process with low limits, for workloads that hold its connections, requests and memory. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningServer, StartOptions } from '#server/serving.ts';
import { readSettings } from '#server/settings.ts';
import { startServer } from '#server/start.ts';
import { replayedAtStop } from '../kit/replay.ts';
import type { Figure } from './workload.ts';

/** Limits of all sources together. One source may use a quarter. */
export const HOLDING_LIMITS = { connectionsMax: 400, underWayMaxBytes: 16 * 1024 * 1024 };
const SOCKET_LIMITS = { graceMs: 200, upgradeTimeoutMs: 300, closeTimeoutMs: 200 };
/** Longest wait for a condition, in milliseconds. Conditions normally become true much earlier. */
const PATIENCE_MS = 30_000;
/** Source address of the attacker. */
export const ATTACKER = '127.0.0.1';
/** Source address of the other callers. */
export const OTHER = '127.0.0.2';
export const CONNECTIONS_OF_SOURCE = 100;
export const BYTES_OF_SOURCE = 4 * 1024 * 1024;

/** Starts a server with low limits, attacks it and stops it. `options` replaces further limits. */
export async function withServer(options: StartOptions, attack: (server: AbusedServer) => Promise<Figure[]>): Promise<Figure[]> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'belfry-abuse-'));
  const settings = readSettings([], { BELFRY_DATA: dataFolder, BELFRY_HTTP: '127.0.0.1:0', BELFRY_HTTPS: '127.0.0.1:0' });
  const running = await startServer(settings, assert.fail, {
    ...options,
    limits: { ...HOLDING_LIMITS, ...options.limits },
    socketLimits: SOCKET_LIMITS,
  });
  const replay = replayedAtStop(settings.database);
  try {
    return await attack(abusedServer(running, dataFolder));
  } finally {
    await running.stop();
    await replay();
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

/** A running server, as its attackers and its other callers reach it. */
export type AbusedServer = ReturnType<typeof abusedServer>;

function abusedServer(running: RunningServer, dataFolder: string) {
  const [http = '', https = ''] = running.ready.listeners.map(({ endpoint }) => endpoint);
  const profile = readFileSync(join(dataFolder, 'aws', 'credentials'), 'utf8');
  const key = (name: string) => new RegExp(`${name} = (\\S+)`).exec(profile)?.[1] ?? '';
  const credentials = { accessKeyId: key('aws_access_key_id'), secretAccessKey: key('aws_secret_access_key') };
  const ports = { http: Number(new URL(http).port), https: Number(new URL(https).port) };
  return {
    dataFolder,
    credentials,
    ports,
    endpoints: { http, https },
    caFile: join(dataFolder, 'tls', 'ca.pem'),
    counts: running.counts,
    /** Options for `startOtherCaller`: a caller whose source address is not the address of the attacker. */
    caller: { endpoint: http, region: 'us-east-1', credentials, localAddress: OTHER },
    /** Returns the options of an unmodified SDK client whose source address is not the address of the attacker. */
    client: () => ({
      endpoint: http,
      region: 'us-east-1',
      credentials,
      maxAttempts: 1,
      requestHandler: { httpAgent: new Agent({ localAddress: OTHER, keepAlive: true }) },
    }),
    /** Opens connections that send the passed bytes and then neither read nor close. */
    async open(scheme: 'http' | 'https', count: number, sent: string | Buffer): Promise<Socket[]> {
      const sockets = Array.from({ length: count }, () =>
        createConnection({ host: '127.0.0.1', port: ports[scheme], localAddress: ATTACKER, allowHalfOpen: true }),
      );
      for (const socket of sockets) {
        socket.on('error', () => {});
        socket.pause();
      }
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      if (sent.length > 0) for (const socket of sockets) socket.write(sent);
      return sockets;
    },
  };
}

/** Errors of a client whose connection the server has ended. */
const ENDED: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE']);

/**
 * Sends a request of a caller that is not hostile, and returns its result. Repeats the request, for at most 30 seconds, while it exceeds the
 * short time limits of the server, which occurs on a busy machine: the server responds 408, or ends the connection.
 */
export async function untilInTime<Result>(send: () => Promise<Result>): Promise<Result> {
  const REQUEST_TIMEOUT = 408;
  const from = performance.now();
  for (;;) {
    try {
      return await send();
    } catch (error) {
      const { code, $metadata } = error as { readonly code?: string; readonly $metadata?: { readonly httpStatusCode?: number } };
      const isLate = $metadata?.httpStatusCode === REQUEST_TIMEOUT || ENDED.has(code);
      if (!isLate || performance.now() - from > PATIENCE_MS) throw error;
    }
  }
}

/** Waits until a condition holds, and returns the time that it took, in milliseconds. */
export async function until(what: string, holds: () => boolean): Promise<number> {
  const from = performance.now();
  while (!holds()) {
    assert.ok(performance.now() - from < PATIENCE_MS, what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - from;
}
