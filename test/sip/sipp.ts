/** Calls by `sipp`, a generator of SIP calls over UDP: one process answers, and another one calls at a fixed rate. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { newFolder } from '../kit/folder.ts';

/** Address of a process. */
export interface SippAddress {
  readonly host: string;
  readonly port: number;
}

/** Calls of one process. Each call is acknowledged when it is answered, and ended soon after. */
export interface SippCalls {
  readonly from: SippAddress;
  readonly to: SippAddress;
  readonly dialed: string;
  readonly perSecond: number;
  readonly calls: number;
}

export interface SippResult {
  /** Milliseconds from each INVITE to its 200 response. */
  readonly answeredMs: readonly number[];
  /** Calls that sipp counts as failed. */
  readonly failed: number;
  /** Number of final responses to INVITEs that are not 200, by code. */
  readonly refused: ReadonlyMap<number, number>;
}

/** Returns a request of the caller. sipp removes the line of routes if there are none. */
function requestOf(method: string, uri: string, cseq: number, more: string): string {
  return `${method} ${uri} SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
${more}
Max-Forwards: 70
From: <sip:+12125550100@[local_ip]>;tag=[call_number]
Call-ID: [call_id]
CSeq: ${cseq} ${method}
Contact: <sip:sipp@[local_ip]:[local_port]>
Content-Length: 0

`;
}

function okOf(more: string): string {
  return `SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]${more}
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:answer@[local_ip]:[local_port]>
Content-Length: 0

`;
}

const send = (message: string, repeats = '') => `<send${repeats}><![CDATA[\n${message}]]></send>`;
const REPEATS = ' retrans="500"';

// The scenario of sipp for answering does not repeat Record-Route, so a BYE would not pass the proxy.
const ANSWERING = [
  '<recv request="INVITE"/>',
  send(okOf(';tag=[call_number]\n[last_Record-Route:]')),
  '<recv request="ACK"/>',
  '<recv request="BYE"/>',
  send(okOf('')),
];
const CALLING = [
  send(requestOf('INVITE', 'sip:[service]@[remote_ip]:[remote_port]', 1, 'To: <sip:[service]@[remote_ip]>'), REPEATS),
  '<recv response="100" optional="true"/>',
  '<recv response="200" rrs="true"/>',
  send(requestOf('ACK', '[next_url]', 1, '[last_To:]\n[routes]')),
  // Two processes of a proxy can reorder messages over UDP, and sipp fails if a BYE arrives before its ACK.
  '<pause milliseconds="100"/>',
  send(requestOf('BYE', '[next_url]', 2, '[last_To:]\n[routes]'), REPEATS),
  '<recv response="200"/>',
];

/** Files of the scenarios, in a folder that is deleted when this process exits. */
const folder = newFolder('sipp');
const scenario = (name: string, steps: readonly string[]) => {
  const path = join(folder, `${name}.xml`);
  writeFileSync(path, `<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="${name}">\n${steps.join('\n')}\n</scenario>\n`);
  return path;
};
const ANSWERING_FILE = scenario('answering', ANSWERING);
const CALLING_FILE = scenario('calling', CALLING);

function startSipp(args: readonly string[]): ChildProcess {
  const child = spawn('sipp', [...args, '-nostdin'], { cwd: folder, stdio: 'ignore' });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}

const at = ({ host, port }: SippAddress) => ['-i', host, '-p', String(port)];

/** Starts a process that answers every call. */
export function answerCalls(address: SippAddress): { stop(): Promise<void> } {
  const child = startSipp(['-sf', ANSWERING_FILE, ...at(address)]);
  const ended = once(child, 'exit');
  return {
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

let runs = 0;

/** Calls at a rate. Resolves when all calls have ended. */
export async function callAtRate({ from, to, dialed, perSecond, calls }: SippCalls): Promise<SippResult> {
  const [messages, counts] = ['messages', 'counts'].map((name) => join(folder, `${name}-${++runs}`)) as [string, string];
  const child = startSipp([
    ...[`${to.host}:${to.port}`, '-sf', CALLING_FILE, ...at(from), '-s', dialed],
    ...['-r', String(perSecond), '-m', String(calls), '-timeout', `${Math.ceil(calls / perSecond) + 30}s`],
    ...['-trace_shortmsg', '-shortmessage_file', messages, '-trace_stat', '-stf', counts, '-fd', '1'],
  ]);
  await once(child, 'exit');
  const [names = [], ...rows] = readFileSync(counts, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(';'));
  const last = rows.at(-1) ?? [];
  const successful = Number(last[names.indexOf('SuccessfulCall(C)')]);
  return { ...responsesIn(readFileSync(messages, 'utf8')), failed: calls - successful };
}

/** Reads INVITEs and their final responses from the log of sipp, whose lines have the time in seconds and the direction. */
function responsesIn(log: string): Omit<SippResult, 'failed'> {
  const sent = new Map<string, number>();
  const answeredMs: number[] = [];
  const refused = new Map<number, number>();
  for (const line of log.split('\n')) {
    const [, , seconds = '', direction, callId = '', cseq, first = ''] = line.split('\t');
    if (cseq !== 'CSeq:1 INVITE') continue;
    if (direction === 'S' && !sent.has(callId)) sent.set(callId, Number(seconds) * 1_000);
    const began = sent.get(callId);
    const code = Number(first.split(' ')[1]);
    if (direction !== 'R' || code < 200 || began === undefined) continue;
    sent.delete(callId);
    if (code === 200) answeredMs.push(Number(seconds) * 1_000 - began);
    else refused.set(code, (refused.get(code) ?? 0) + 1);
  }
  return { answeredMs, refused };
}

/** Waits until a process answers at an address. */
export async function untilAnswered(from: SippAddress, to: SippAddress, dialed: string): Promise<void> {
  for (let i = 0; i < 20; i++) {
    if ((await callAtRate({ from, to, dialed, perSecond: 10, calls: 1 })).failed === 0) return;
    await delay(100);
  }
  throw new Error(`no call is answered at ${to.host}:${to.port}`);
}
