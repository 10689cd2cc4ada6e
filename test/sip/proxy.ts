import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after } from 'node:test';
import { tlsMaterial } from '#server/edge/tls.ts';
import type { TlsMaterial } from '#server/edge/tls-material.ts';
import { readSettings } from '#server/settings.ts';
import { SIP_FILES } from '#server/sip/kamailio-config.ts';
import { sipProxyPart } from '#server/sip/proxy-process.ts';
import { newFolder } from '../kit/folder.ts';

/** Address of the SIP proxy in the tests. Each party has an address of its own in the same network. */
export const PROXY_HOST = '127.0.10.1';

/** Settings of a server with a SIP proxy on free ports. */
export interface SipSettings {
  readonly environment: Readonly<Record<string, string>>;
  /** Address for UDP and TCP, and address for TLS. */
  readonly plain: { readonly host: string; readonly port: number };
  readonly tls: { readonly host: string; readonly port: number };
}

/** Returns settings for a server whose SIP proxy is a process of its own, or of the server with `child`. */
export async function sipSettings(sip: 'unit' | 'child', more: Readonly<Record<string, string>> = {}): Promise<SipSettings> {
  const [plain, tls] = [await freePort(PROXY_HOST), await freePort(PROXY_HOST)];
  return {
    environment: {
      BELFRY_SIP: sip,
      BELFRY_SIP_UDP: `${PROXY_HOST}:${plain}`,
      BELFRY_SIP_TCP: `${PROXY_HOST}:${plain}`,
      BELFRY_SIP_TLS: `${PROXY_HOST}:${tls}`,
      BELFRY_SIP_DECISIONS: '127.0.0.1:0',
      BELFRY_SIP_HEP: '127.0.0.1:0',
      BELFRY_PRIVATE_SIP_PEERS: '127.0.10.0/24',
      ...more,
    },
    plain: { host: PROXY_HOST, port: plain },
    tls: { host: PROXY_HOST, port: tls },
  };
}

/** Returns a certificate of a TLS route, and the file of its CA. */
export async function routeCertificate(): Promise<TlsMaterial & { readonly caFile: string }> {
  const folder = newFolder('sip-route');
  const material = await tlsMaterial(readSettings([], { BELFRY_DATA: folder }), Date.now(), () => undefined);
  return { ...material, caFile: join(folder, 'tls', 'ca.pem') };
}

/** A SIP proxy that a test started. */
export interface SipProxy {
  readonly folder: string;
  readonly pid: () => number;
  /** Lines that the proxy wrote to its log. */
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

const stops: (() => Promise<void>)[] = [];
// A hook that a test registers runs at the end of that test, so this module registers one for the file.
after(async () => {
  await Promise.all(stops.map((stop) => stop()));
});

/** Starts the SIP proxy of a data folder, as `BELFRY_SIP=child` does, and stops it after the tests of the file. */
export async function startProxy({ environment }: SipSettings, dataFolder: string): Promise<SipProxy> {
  const lines: string[] = [];
  const part = sipProxyPart(readSettings([], { BELFRY_DATA: dataFolder, ...environment }), (line) => void lines.push(line));
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= Promise.resolve(part.stop?.()));
  stops.push(stop);
  await part.start?.();
  const folder = join(dataFolder, 'sip', 'proxy');
  return { folder, lines, stop, pid: () => Number(readFileSync(join(folder, SIP_FILES.run, 'proxy.pid'), 'utf8')) };
}

/** Returns a port that is free for UDP and TCP. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (;;) {
    const tcp = createServer();
    await new Promise<void>((done) => void tcp.listen(0, host, done));
    const { port } = tcp.address() as { port: number };
    const udp = createSocket('udp4');
    const isFree = await new Promise<boolean>((done) => void udp.once('error', () => done(false)).bind(port, host, () => done(true)));
    udp.close();
    await new Promise((done) => tcp.close(done));
    if (isFree) return port;
  }
}
