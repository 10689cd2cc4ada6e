/**
 * Measures GetMeeting with signature, authorization and a durable trail record. Compares the figures with those of a
 * bare `node:http` server, and with those of Belfry without trail records.
 * Uses interleaved rounds on one machine, and 64 connections. Command: `npm run bench get-meeting`.
 */
import { load, median, signed, startProcess } from './load.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const SECONDS = Number(process.env['SECONDS_EACH'] ?? 5);
const CONNECTIONS = 64;

const servers = {
  bare: await startProcess('bare'),
  belfry: await startProcess('belfry'),
  'without recording': await startProcess('without-recording'),
};
const requestsOf = async (server: (typeof servers)['belfry']) => {
  const create = signed(
    server,
    'POST',
    '/meetings',
    JSON.stringify({ ClientRequestToken: 'bench', MediaRegion: 'us-east-1', ExternalMeetingId: 'bench' }),
  );
  const answer = await fetch(server.endpoint + create.path, { method: 'POST', headers: create.headers, body: create.body });
  const meetingId = server === servers.bare ? 'x' : ((await answer.json()) as { Meeting: { MeetingId: string } }).Meeting.MeetingId;
  return () => Array.from({ length: 64 }, () => signed(server, 'GET', `/meetings/${meetingId}`));
};
const sources = {
  bare: await requestsOf(servers.bare),
  belfry: await requestsOf(servers.belfry),
  'without recording': await requestsOf(servers['without recording']),
};
const names = ['bare', 'belfry', 'without recording'] as const;
for (const name of names) load(servers[name].endpoint, sources[name](), CONNECTIONS, 3);

const rounds: Record<(typeof names)[number], ReturnType<typeof load>[]> = { bare: [], belfry: [], 'without recording': [] };
for (let round = 0; round < ROUNDS; round++) {
  for (const name of names) {
    const result = load(servers[name].endpoint, sources[name](), CONNECTIONS, SECONDS);
    if (result.not2xx > 0) throw new Error(`${name}: ${result.not2xx} of ${result.requests} were not 2xx`);
    rounds[name].push(result);
  }
}
for (const name of names) {
  const all = rounds[name];
  console.log(
    `${name.padEnd(18)} ${Math.round(median(all.map((each) => each.perSecond)))} /s   p50 ${median(all.map((each) => each.p50Ms)).toFixed(2)} ms   p99 ${median(all.map((each) => each.p99Ms)).toFixed(2)} ms   ratio to bare ${median(all.map((each, i) => each.perSecond / (rounds.bare[i] as { perSecond: number }).perSecond)).toFixed(3)}`,
  );
}
await Promise.all(names.map((name) => servers[name].stop()));
