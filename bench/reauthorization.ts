/**
 * Measures calls of one caller while the server re-authorizes 5,000 messaging sessions after an identity change. Compares the calls with
 * calls before the change, in interleaved rounds on the same server. Command: `npm run bench reauthorization`.
 */
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { connectTarget, createChat, send, startClients } from './chat.ts';
import { median, signed, startProcess } from './load.ts';

const SESSIONS = Number(process.env['SESSIONS'] ?? 5_000);
const ROUNDS = Number(process.env['ROUNDS'] ?? 7);
const USERS = 500;
/** Duration of one measurement in seconds. The server re-authorizes all sessions within this time. */
const SECONDS = 1.5;

const server = await startProcess('belfry');
const chat = await createChat(server, USERS);
const clients = startClients();
const targets = Array.from({ length: SESSIONS }, (_, i) =>
  connectTarget(server, server.endpoint, chat.userArns[i % USERS] as string, `s${i}`),
);
await clients.open({ host: '127.0.0.1', port: Number(new URL(server.endpoint).port), tls: false, targets, firstFrames: 1 });
const iam = new IAMClient({ endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials });
const create = { ClientRequestToken: 'bench', MediaRegion: 'us-east-1', ExternalMeetingId: 'bench' };
const created = await send(server.endpoint, signed(server, 'POST', '/meetings', JSON.stringify(create)));
const { MeetingId } = created['Meeting'] as { readonly MeetingId: string };

/** Calls GetMeeting sequentially. Returns the durations in milliseconds, sorted. */
async function calls(): Promise<readonly number[]> {
  const durations: number[] = [];
  const ends = performance.now() + SECONDS * 1_000;
  for (let began = performance.now(); began < ends; began = performance.now()) {
    await send(server.endpoint, signed(server, 'GET', `/meetings/${MeetingId}`));
    durations.push(performance.now() - began);
  }
  return durations.sort((a, b) => a - b);
}

const at = (sorted: readonly number[], share: number) => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] as number;
const rounds: { readonly quiet: readonly number[]; readonly changed: readonly number[] }[] = [];
await calls();
for (let round = 0; round < ROUNDS; round++) {
  const quiet = await calls();
  const [changed] = await Promise.all([calls(), iam.send(new CreateUserCommand({ UserName: `user${round}` }))]);
  rounds.push({ quiet, changed });
}
for (const which of ['quiet', 'changed'] as const) {
  const of = (share: number) => median(rounds.map((round) => at(round[which], share))).toFixed(1);
  console.log(`${which.padEnd(8)} p50 ${of(0.5)} ms, p99 ${of(0.99)} ms, longest ${of(1)} ms (medians of ${ROUNDS} rounds)`);
}
const added = median(rounds.map(({ quiet, changed }) => at(changed, 1) - at(quiet, 1)));
console.log(`longest call after the change, minus longest call before: ${added.toFixed(1)} ms`);
clients.stop();
await server.stop();
process.exit(0);
