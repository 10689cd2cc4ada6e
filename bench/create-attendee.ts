/**
 * Measures CreateAttendee with 64 clients. The server stores an attendee and its trail record in one commit, and
 * responds after the commit is durable. A last round, which is not part of the figures, runs under strace. This round
 * measures how many acknowledged changes share one sync of SQLite's log. Command: `npm run bench create-attendee`.
 */
import { type Load, load, median, type Process, type SignedRequest, signed, startProcess } from './load.ts';
import { watchSyncs } from './syncs.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
const SECONDS = 5;
const CLIENTS = 64;
const MEETINGS = 240;
/** Number of attendees per meeting. The limit is 250. */
const ATTENDEES = 240;

async function round(server: Process): Promise<Load> {
  const meetings: string[] = [];
  for (let i = 0; i < MEETINGS; i++) {
    const create = signed(
      server,
      'POST',
      '/meetings',
      JSON.stringify({ ClientRequestToken: `bench-${i}`, MediaRegion: 'us-east-1', ExternalMeetingId: `bench-${i}` }),
    );
    const answer = await fetch(server.endpoint + create.path, { method: 'POST', headers: create.headers, body: create.body });
    meetings.push(((await answer.json()) as { Meeting: { MeetingId: string } }).Meeting.MeetingId);
  }
  const requests: SignedRequest[] = [];
  for (let attendee = 0; attendee < ATTENDEES; attendee++) {
    for (const meeting of meetings)
      requests.push(signed(server, 'POST', `/meetings/${meeting}/attendees`, JSON.stringify({ ExternalUserId: `user-${attendee}` })));
  }
  const result = load(server.endpoint, requests, CLIENTS, SECONDS);
  if (result.not2xx > 0) throw new Error(`${result.not2xx} of ${result.requests} were not 2xx`);
  if (result.requests > requests.length)
    throw new Error(`wrk sent ${result.requests} requests, but only ${requests.length} were prepared: increase MEETINGS`);
  return result;
}

const results: Load[] = [];
for (let i = 0; i < ROUNDS; i++) {
  const server = await startProcess('belfry');
  results.push(await round(server));
  await server.stop();
}

async function changesPerSync(): Promise<string> {
  const watch = watchSyncs();
  if (watch === undefined) return 'changes per sync of the log: not counted without strace (Debian: apt-get install strace)';
  const server = await startProcess('belfry', { under: watch.under });
  const result = await round(server);
  await server.stop();
  const syncs = watch.count(result.beganMs, result.endedMs);
  if (syncs === 0) throw new Error('strace reported no sync: responses are not durable, or the strace output is parsed wrongly');
  return `${(result.requests / syncs).toFixed(1)} changes per sync of the log (${result.requests} / ${syncs}, at ${Math.round(result.perSecond)} /s under strace)`;
}

const middle = (of: (each: Load) => number) => median(results.map(of));
console.log(
  `CreateAttendee     ${Math.round(middle((each) => each.perSecond))} /s   p50 ${middle((each) => each.p50Ms).toFixed(2)} ms   p99 ${middle((each) => each.p99Ms).toFixed(2)} ms   (${CLIENTS} clients, medians of ${ROUNDS} rounds)   ${await changesPerSync()}`,
);
