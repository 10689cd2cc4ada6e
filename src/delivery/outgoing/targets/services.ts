/** Senders to services with the protocol of AWS: SQS, SNS, Lambda, Kinesis and Lex. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { parseArn } from '#core/arn.ts';
import type { OutgoingMessage, OutgoingTarget } from '#services/kit/outgoing.ts';
import type { Outcome } from '../outcome.ts';
import type { AwsClients, ServiceEndpoint } from './aws-clients.ts';
import { outcomeOfError } from './failures.ts';
import { askBot } from './lex.ts';

type TargetOf<Kind extends OutgoingTarget['kind']> = Extract<OutgoingTarget, { readonly kind: Kind }>;
export type ServiceTarget = TargetOf<'sqs' | 'sns' | 'lambda' | 'kinesis' | 'lex'>;

/** Compresses text in a thread of Node's pool. */
const compress: (text: string) => Promise<Buffer> = promisify(gzip);

export function isServiceTarget(target: OutgoingTarget): target is ServiceTarget {
  return ['sqs', 'sns', 'lambda', 'kinesis', 'lex'].includes(target.kind);
}

/** Sends one message to a service. */
export async function sendToService(
  clients: AwsClients,
  endpoint: ServiceEndpoint,
  target: ServiceTarget,
  { body }: Pick<OutgoingMessage, 'body'>,
): Promise<Outcome> {
  try {
    switch (target.kind) {
      case 'sqs':
        await sendToQueue(clients, endpoint, target, body);
        break;
      case 'sns':
        await publish(clients, endpoint, target, body);
        break;
      case 'lambda': {
        const InvocationType = target.dryRun === true ? 'DryRun' : 'Event';
        const Payload =
          target.encoding === undefined ? body : JSON.stringify({ awslogs: { data: (await compress(body)).toString('base64') } });
        const failed = await invokeFunction(clients, endpoint, { FunctionName: target.arn, InvocationType, Payload });
        if (failed.FunctionError !== undefined) return { kind: 'failed', code: 'SDK_CLIENT_ERROR', message: 'the function failed' };
        break;
      }
      case 'kinesis':
        await putRecord(clients, endpoint, target, body);
        break;
      case 'lex':
        return await askBot(clients, endpoint, target, body);
    }
    return { kind: 'sent' };
  } catch (error) {
    return outcomeOfError(error);
  }
}

/** Returns the attributes of a message, all of type String. An empty value is not allowed. */
function attributesOf(attributes: Readonly<Record<string, string>> = {}) {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) => (value === '' ? [] : [[name, { DataType: 'String', StringValue: value }]])),
  );
}

async function sendToQueue(clients: AwsClients, endpoint: ServiceEndpoint, target: TargetOf<'sqs'>, body: string): Promise<void> {
  const { SendMessageCommand } = await import('@aws-sdk/client-sqs');
  const { accountId = '', resource = '' } = parseArn(target.arn) ?? {};
  const client = await clients.of('sqs', endpoint);
  await client.send(
    new SendMessageCommand({
      QueueUrl: `${endpoint.url.replace(/\/$/, '')}/${accountId}/${resource}`,
      MessageBody: body,
      MessageAttributes: attributesOf(target.attributes),
      ...(target.MessageGroupId !== undefined && { MessageGroupId: target.MessageGroupId }),
      ...(target.MessageDeduplicationId !== undefined && { MessageDeduplicationId: target.MessageDeduplicationId }),
    }),
  );
}

async function publish(clients: AwsClients, endpoint: ServiceEndpoint, target: TargetOf<'sns'>, body: string): Promise<void> {
  const { PublishCommand } = await import('@aws-sdk/client-sns');
  const client = await clients.of('sns', endpoint);
  await client.send(
    new PublishCommand({
      TopicArn: target.arn,
      Message: body,
      MessageAttributes: attributesOf(target.attributes),
      ...(target.Subject !== undefined && { Subject: target.Subject }),
    }),
  );
}

async function putRecord(clients: AwsClients, endpoint: ServiceEndpoint, target: TargetOf<'kinesis'>, body: string): Promise<void> {
  const { PutRecordCommand } = await import('@aws-sdk/client-kinesis');
  const client = await clients.of('kinesis', endpoint);
  const Data = target.encoding === undefined ? Buffer.from(body) : await compress(body);
  await client.send(new PutRecordCommand({ StreamARN: target.arn, PartitionKey: target.PartitionKey, Data }));
}

/** Invocation of a function of Lambda. */
export interface Invocation {
  readonly FunctionName: string;
  /** `RequestResponse` waits for the result, at most 10 seconds. `DryRun` does not run the function. */
  readonly InvocationType: 'Event' | 'RequestResponse' | 'DryRun';
  readonly Payload: string;
}

/** Result of an invocation. `Payload` is text that the function chose. */
export interface InvocationResult {
  readonly FunctionError?: string;
  readonly Payload: string;
}

/**
 * Invokes a function of Lambda. Rejects with the error of the client, for `outcomeOfError`.
 *
 * Source: Lambda, Invoke.
 */
export async function invokeFunction(clients: AwsClients, endpoint: ServiceEndpoint, invocation: Invocation): Promise<InvocationResult> {
  const { InvokeCommand } = await import('@aws-sdk/client-lambda');
  const client = await clients.of('lambda', endpoint);
  const { FunctionError, Payload } = await client.send(new InvokeCommand({ ...invocation, Payload: Buffer.from(invocation.Payload) }));
  return { Payload: Buffer.from(Payload ?? []).toString('utf8'), ...(FunctionError !== undefined && { FunctionError }) };
}
