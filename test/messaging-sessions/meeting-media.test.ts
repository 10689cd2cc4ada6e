/** Attempts to join a meeting with the unmodified client. The server has no media service, so joining fails. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChimeSDKMeetingsClient, CreateAttendeeCommand, CreateMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import NoOpLogger from 'amazon-chime-sdk-js/build/logger/NoOpLogger.js';
import MeetingSessionStatusCode from 'amazon-chime-sdk-js/build/meetingsession/MeetingSessionStatusCode.js';
import DefaultSignalingClient from 'amazon-chime-sdk-js/build/signalingclient/DefaultSignalingClient.js';
import JoinAndReceiveIndexTask from 'amazon-chime-sdk-js/build/task/JoinAndReceiveIndexTask.js';
import OpenSignalingConnectionTask from 'amazon-chime-sdk-js/build/task/OpenSignalingConnectionTask.js';
import DefaultWebSocketAdapter from 'amazon-chime-sdk-js/build/websocketadapter/DefaultWebSocketAdapter.js';
import { startTestServer } from '../kit/server.ts';

const server = await startTestServer();
const logger = new NoOpLogger.default();

/** Creates a meeting with one attendee. Returns the URL and the token with which the attendee joins. */
async function newMeeting(endpoint: string) {
  const meetings = new ChimeSDKMeetingsClient({ ...server.client(), endpoint });
  const { Meeting } = await meetings.send(new CreateMeetingCommand({ MediaRegion: 'us-east-1', ExternalMeetingId: 'standup' }));
  const { Attendee } = await meetings.send(new CreateAttendeeCommand({ MeetingId: Meeting?.MeetingId, ExternalUserId: 'ada' }));
  return { signalingURL: Meeting?.MediaPlacement?.SignalingUrl ?? '', joinToken: Attendee?.JoinToken ?? '' };
}

test('MediaPlacement: a caller over plain HTTP on loopback gets ws and http URLs', async () => {
  const { signalingURL } = await newMeeting(server.endpoint);
  assert.ok(signalingURL.startsWith(`${server.endpoint.replace('http:', 'ws:')}/control/`), signalingURL);
});

test('Meetings: a client that joins stops at once, with the reason that media is unsupported', async () => {
  const { signalingURL, joinToken } = await newMeeting(server.endpoint);
  const stopped = Promise.withResolvers<{ readonly status: { statusCode(): number; isTerminal(): boolean }; readonly error: Error }>();
  const context = {
    logger,
    signalingClient: new DefaultSignalingClient.default(new DefaultWebSocketAdapter.default(logger), logger),
    meetingSessionConfiguration: { urls: { signalingURL }, credentials: { joinToken } },
    videoDownlinkBandwidthPolicy: {},
    browserBehavior: { name: () => 'node', majorVersion: () => 24, version: () => '24' },
    audioVideoController: {
      handleMeetingSessionStatus: (status: never, error: Error) => stopped.resolve({ status, error }),
    },
  };
  await new OpenSignalingConnectionTask.default(context as never).run();
  void new JoinAndReceiveIndexTask.default(context as never).run();
  const { status, error } = await stopped.promise;
  assert.deepEqual([status.statusCode(), status.isTerminal()], [MeetingSessionStatusCode.default.SignalingBadRequest, true]);
  assert.match(error.message, /4400 and reason: This server does not support meeting media/);
});
