/**
 * CreateAttendee, acknowledged durable: 64 clients, every request another attendee, its row and its record in one commit.
 * `npm run bench create-attendee`.
 */
import { load, median, type SignedRequest, signed, startProcess } from './load.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
const SECONDS = 5;
const MEETINGS = 240;
/** Below the 250 a meeting may have. */
const ATTENDEES = 240;

const results = [];
for (let round = 0; round < ROUNDS; round++) {
  const server = await startProcess('belfry');
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
  const result = load(server.endpoint, requests, 64, SECONDS);
  if (result.not2xx > 0) throw new Error(`${result.not2xx} of ${result.requests} were not 2xx`);
  if (result.requests > requests.length) throw new Error('more was asked than there were requests: raise MEETINGS');
  results.push(result);
  await server.stop();
}
console.log(
  `CreateAttendee     ${Math.round(median(results.map((each) => each.perSecond)))} /s   p50 ${median(results.map((each) => each.p50Ms)).toFixed(2)} ms   p99 ${median(results.map((each) => each.p99Ms)).toFixed(2)} ms   (64 clients, medians of ${ROUNDS} rounds)`,
);
