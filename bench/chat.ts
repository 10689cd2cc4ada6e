/** Chat for the benchmarks: an app instance with users, a channel, and clients in another process. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { instant } from '#core/instant.ts';
import { presign } from '#sigv4/sign.ts';
import type { ClientCounts, OpenSockets, ToClients } from './chat-clients.ts';
import { type Process, type SignedRequest, signed } from './load.ts';

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** Sends a signed request. Returns the parsed response. */
export function send(endpoint: string, { method, path, headers, body }: SignedRequest): Promise<Record<string, unknown>> {
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers, agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const answer = Buffer.concat(parts).toString();
        if ((response.statusCode ?? 500) >= 300) reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`));
        else resolve(answer === '' ? {} : JSON.parse(answer));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** An app instance with users who are all members of one channel. */
export interface Chat {
  readonly channelArn: string;
  readonly userArns: readonly string[];
  /** Sends a message to the channel. */
  say(content: string): Promise<void>;
}

/** Creates an app instance with users and a channel. */
export async function createChat(server: Process, users: number): Promise<Chat> {
  const call = (method: string, path: string, body: object, bearer?: string) =>
    send(server.endpoint, signed(server, method, path, JSON.stringify(body), bearer === undefined ? {} : { 'x-amz-chime-bearer': bearer }));
  const { AppInstanceArn } = await call('POST', '/app-instances', { Name: 'bench', ClientRequestToken: 'bench' });
  const userArns: string[] = [];
  const ids = Array.from({ length: users }, (_, i) => `user-${i}`);
  const worker = async () => {
    for (let id = ids.pop(); id !== undefined; id = ids.pop()) {
      const user = { AppInstanceArn, AppInstanceUserId: id, Name: id, ClientRequestToken: `create-${id}` };
      userArns.push((await call('POST', '/app-instance-users', user))['AppInstanceUserArn'] as string);
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
  const bearer = userArns[0] as string;
  const channel = { AppInstanceArn, Name: 'bench', Mode: 'UNRESTRICTED', ClientRequestToken: 'channel' };
  const { ChannelArn } = await call('POST', '/channels', channel, bearer);
  const path = `/channels/${encodeURIComponent(ChannelArn as string)}`;
  for (let from = 1; from < users; from += 100) {
    await call('POST', `${path}/memberships?operation=batch-create`, { MemberArns: userArns.slice(from, from + 100) }, bearer);
  }
  let last = 0;
  return {
    channelArn: ChannelArn as string,
    userArns,
    async say(Content) {
      const message = { Content, Type: 'STANDARD', Persistence: 'NON_PERSISTENT', ClientRequestToken: `m${++last}` };
      await call('POST', `${path}/messages`, message, bearer);
    },
  };
}

/** Returns the signed target of a Connect request. */
export function connectTarget(server: Process, endpoint: string, userArn: string, sessionId: string): string {
  return presign(
    {
      method: 'GET',
      target: `/connect?${new URLSearchParams({ userArn, sessionId })}`,
      headers: { host: new URL(endpoint).host },
      body: '',
    },
    { credentials: server.credentials, region: 'us-east-1', signingName: 'chime', now: instant(Date.now()), expiresSeconds: 600 },
  );
}

/** Starts a process with chat clients. */
export function startClients() {
  const child = fork('bench/chat-clients.ts');
  const ask = async (message: ToClients): Promise<ClientCounts> => {
    child.send(message);
    return (await once(child, 'message'))[0];
  };
  return {
    open: (sockets: OpenSockets) => ask({ open: sockets }),
    /** Returns the number of frames that the clients received since the previous call of `count`. */
    count: () => ask('count'),
    stop: () => child.send('close' satisfies ToClients),
  };
}

/** Returns the CPU time of a process and its threads in seconds. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Returns the resident memory of a process in MiB. */
export function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
