/** `AWS/Usage`: from the requests of an unmodified client to the metrics that the clients of all three protocols read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChimeSDKMeetingsClient, CreateMeetingCommand, GetMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import { GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { cloudwatchClients } from '../kit/cloudwatch.ts';
import { newFolder } from '../kit/folder.ts';
import { startTestServer } from '../kit/server.ts';

const dataFolder = newFolder('usage');
const before = new Date(Date.now() - 120_000);
const first = await startTestServer({}, dataFolder);
const meetings = new ChimeSDKMeetingsClient(first.client());
for (const ClientRequestToken of ['aa', 'bb', 'cc'])
  await meetings.send(new CreateMeetingCommand({ ClientRequestToken, ExternalMeetingId: 'mm', MediaRegion: 'us-east-1' }));
const missing = await meetings
  .send(new GetMeetingCommand({ MeetingId: '00000000-0000-4000-8000-000000000000' }))
  .catch((error: Error) => error.name);
// The server stores the counts at the end of a minute, and when it stops.
await first.stop();
const server = await startTestServer({}, dataFolder);

const usage = (Id: string, MetricName: string, Resource: string) => ({
  Id,
  MetricStat: {
    Metric: {
      Namespace: 'AWS/Usage',
      MetricName,
      Dimensions: [
        { Name: 'Type', Value: 'API' },
        { Name: 'Resource', Value: Resource },
        { Name: 'Service', Value: 'ChimeSDK' },
        { Name: 'Class', Value: 'None' },
      ],
    },
    Period: 60,
    Stat: 'Sum',
  },
});

for (const [protocol, client] of cloudwatchClients(server)) {
  test(`AWS/Usage by ${protocol}: calls and errors of real requests`, async () => {
    assert.equal(missing, 'NotFoundException');
    const { MetricDataResults = [] } = await client.send(
      new GetMetricDataCommand({
        MetricDataQueries: [
          usage('created', 'CallCount', 'CreateMeeting'),
          usage('failures', 'ErrorCount', 'CreateMeeting'),
          usage('read', 'CallCount', 'GetMeeting'),
          usage('missing', 'ErrorCount', 'GetMeeting'),
        ],
        StartTime: before,
        EndTime: new Date(Date.now() + 120_000),
      }),
    );
    const sums = MetricDataResults.map(({ Id, Values = [] }) => [Id, Values.reduce((sum, value) => sum + value, 0)]);
    assert.deepEqual(sums, [
      ['created', 3],
      ['failures', 0],
      ['read', 1],
      ['missing', 1],
    ]);
  });
}
