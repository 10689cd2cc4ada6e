/** Calls of S3 with recognizable strings in bodies and headers. */
import * as s3 from '@aws-sdk/client-s3';
import type { Keys } from '../kit/keys.ts';
import type { ServerProcess } from '../kit/process.ts';
import { presignS3, type S3Request, s3Caller } from '../kit/s3.ts';
import { capturing } from '../recording/capture.ts';

const BUCKET = 'canary-objects';
const REGION = 'us-east-1';

/** Recognizable strings. */
export interface ObjectCanaries {
  /** In secrets, and in the bodies of requests that the server refuses. No place contains it. */
  readonly secret: string;
  /** In contents of objects. */
  readonly content: string;
  /** In headers that are stored with objects. */
  readonly header: string;
}

export interface ObjectCalls {
  /** Calls with an unexpected result. */
  readonly faults: readonly string[];
  /** Number of different operations. */
  readonly operations: number;
  /** Signatures of presigned URLs, which give access to an object for some time. */
  readonly signatures: readonly string[];
}

type Command = new (input: object) => Parameters<s3.S3Client['send']>[0];
const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries(s3)
    .filter(([name]) => /^[A-Z]\w*Command$/.test(name))
    .map(([name, command]) => [name.slice(0, -'Command'.length), command as unknown as Command]),
);
/** Operations with a member that contains a secret or the content of an object. */
const WITH_SECRETS = new Set([
  ...['CopyObject', 'CompleteMultipartUpload', 'CreateMultipartUpload', 'GetObject', 'GetObjectAttributes', 'HeadObject', 'ListParts'],
  ...['PutObject', 'SelectObjectContent', 'UploadPart', 'UploadPartCopy', 'UpdateObjectEncryption'],
  ...['DeleteObject', 'DeleteObjects', 'PutBucketVersioning'],
]);
/** Operations that the client sends to another host than the server. */
const OTHER_HOST = new Set(['CreateSession', 'ListDirectoryBuckets', 'WriteGetObjectResponse']);

/**
 * Calls the operations of the client as an administrator and with a wrong secret: with a customer key, with a KMS key and MFA, and
 * with neither. Then uploads with presigned URLs and with signed chunks. `exchanged` gets each request line and each response.
 */
export async function callObjectOperations(
  server: ServerProcess,
  canaries: ObjectCanaries,
  exchanged: (request: string, response: string) => void,
): Promise<ObjectCalls> {
  const faults: string[] = [];
  const requestHandler = capturing(({ request, response }) => exchanged(request.slice(0, request.indexOf('\n')), response));
  const clientOf = (credentials: Keys) =>
    new s3.S3Client({ endpoint: server.endpoint, region: REGION, credentials, maxAttempts: 1, forcePathStyle: true, requestHandler });
  const admin = clientOf(server.credentials);
  const forged = clientOf({ ...server.credentials, secretAccessKey: `${canaries.secret}Forged` });
  await admin.send(new s3.CreateBucketCommand({ Bucket: BUCKET }));
  const stored = storedInput(canaries);
  await admin.send(new s3.PutObjectCommand(stored));
  const { UploadId } = await admin.send(new s3.CreateMultipartUploadCommand(stored));
  const inputs = [stored, ...refusedInputs(canaries)].map((input) => ({ ...input, UploadId, PartNumber: 1 }));
  const operations = [...COMMANDS.keys()].filter((name) => !OTHER_HOST.has(name) && !/^Delete(Bucket)?$|^AbortMultipart/.test(name));
  const succeeded = new Set<string>();
  for (const name of operations) {
    const used = WITH_SECRETS.has(name) ? inputs : inputs.slice(0, 1);
    for (const [i, input] of used.entries()) {
      for (const client of i === 0 ? [admin] : [admin, forged]) {
        const command = new (COMMANDS.get(name) as Command)({ ...input, ...structuresOf(name, input.header) });
        const { code, status } = await outcomeOf(client.send(command));
        if (status === undefined || (status >= 500 && code !== 'NotImplemented')) faults.push(`${name} ${i}: ${code}`);
        if (client === admin && code === 'ok') succeeded.add(`${name} ${i}`);
      }
    }
  }
  for (const expected of ['PutObject 0', 'UploadPart 0', 'PutBucketPolicy 0', 'GetObject 0', 'HeadObject 0'])
    if (!succeeded.has(expected)) faults.push(`${expected} failed`);
  for (const refused of ['PutObject', 'UploadPart', 'CreateMultipartUpload', 'GetObject'])
    if (succeeded.has(`${refused} 1`)) faults.push(`${refused} accepted a customer key`);
  const signatures = await withRawRequests(server, canaries, exchanged, faults);
  for (const client of [admin, forged]) client.destroy();
  return { faults, operations: operations.length, signatures };
}

interface CanaryInput {
  readonly Bucket: string;
  readonly Key: string;
  readonly Body: string;
  readonly header: string;
}

/** Returns an input that the server accepts. */
function storedInput({ content, header }: ObjectCanaries): CanaryInput & s3.PutObjectCommandInput & { readonly CopySource: string } {
  return {
    ...{ Bucket: BUCKET, Key: 'stored', Body: `${content}Body`, CopySource: `${BUCKET}/stored`, header },
    ...{ ContentType: `text/${header}`, ContentDisposition: header, ContentLanguage: header, CacheControl: header },
    Metadata: { note: `${header}Metadata` },
  };
}

/** Returns inputs with secrets, which the server refuses if the operation has such a member. */
function refusedInputs({ secret, header }: ObjectCanaries): readonly CanaryInput[] {
  const common = { Bucket: BUCKET, Key: 'refused', header };
  const customerKey = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: `${secret}Customer` };
  const sourceKey = { CopySourceSSECustomerAlgorithm: 'AES256', CopySourceSSECustomerKey: `${secret}Source` };
  const kms = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: `${secret}Kms`, SSEKMSEncryptionContext: base64(`${secret}Context`) };
  return [
    { ...common, Body: `${secret}Body`, CopySource: `${BUCKET}/stored`, ...customerKey, ...sourceKey } as CanaryInput,
    { ...common, Body: `${secret}Body`, CopySource: `${BUCKET}/stored`, MFA: `${secret}Mfa 123456`, ...kms } as CanaryInput,
  ];
}

/** Returns required members of an operation that are structures, or that have another type in other operations. */
function structuresOf(name: string, header: string): object {
  const text = { ID: header, Id: header, Status: 'Enabled', Filter: { Prefix: header } };
  const Days = 3;
  switch (name) {
    case 'PutBucketPolicy':
      return { Policy: JSON.stringify({ Version: '2012-10-17', Statement: [denyAll(header)] }) };
    case 'PutBucketLifecycleConfiguration':
      return { LifecycleConfiguration: { Rules: [{ ...text, Expiration: { Days } }] } };
    case 'PutBucketTagging':
    case 'PutObjectTagging':
      return { Tagging: { TagSet: [{ Key: header, Value: header }] } };
    case 'GetObject':
    case 'HeadObject':
      return { PartNumber: undefined };
    case 'DeleteObject':
      return { Key: `${header}Key` };
    case 'DeleteObjects':
      return { Delete: { Objects: [{ Key: `${header}Key` }] } };
    case 'CompleteMultipartUpload':
      return { MultipartUpload: { Parts: [{ PartNumber: 1, ETag: header }] } };
    case 'SelectObjectContent':
      return {
        Expression: header,
        ExpressionType: 'SQL',
        InputSerialization: { JSON: { Type: 'LINES' } },
        OutputSerialization: { JSON: {} },
      };
    case 'RestoreObject':
      return { RestoreRequest: { Days, Description: header } };
    case 'GetObjectAttributes':
      return { ObjectAttributes: ['ETag'] };
    case 'RenameObject':
      return { RenameSource: `/${BUCKET}/stored` };
    default:
      return {};
  }
}

/** Returns a statement that denies another account access to an object that does not exist. */
function denyAll(Sid: string): object {
  return { Sid, Effect: 'Deny', Principal: { AWS: '999999999999' }, Action: 's3:GetObject', Resource: `arn:aws:s3:::${BUCKET}/none` };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function outcomeOf(sent: Promise<unknown>): Promise<{ readonly code: string; readonly status: number | undefined }> {
  try {
    const { $metadata } = (await sent) as { readonly $metadata: { readonly httpStatusCode?: number } };
    return { code: 'ok', status: $metadata.httpStatusCode };
  } catch (error) {
    const { name, $metadata } = error as Error & { readonly $metadata?: { readonly httpStatusCode?: number } };
    return { code: name, status: $metadata?.httpStatusCode };
  }
}

/** Sends requests that the client does not send. Returns the signatures of presigned URLs. */
async function withRawRequests(
  { endpoint, credentials }: ServerProcess,
  { secret, content, header }: ObjectCanaries,
  exchanged: (request: string, response: string) => void,
  faults: string[],
): Promise<readonly string[]> {
  const call = s3Caller(endpoint, credentials);
  const target = `/${BUCKET}/raw`;
  const customerKey = {
    'x-amz-server-side-encryption-customer-algorithm': 'AES256',
    'x-amz-server-side-encryption-customer-key': base64(`${secret}Customer`),
  };
  const note = { 'x-amz-meta-note': header };
  const presigned = { expiresSeconds: 600 };
  const pieces = [`${content}Chunk`];
  const chunked: S3Request = {
    ...{ method: 'PUT', target, payload: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', chunks: { pieces, signed: true } },
    headers: { ...note, 'content-encoding': 'aws-chunked', 'x-amz-decoded-content-length': `${pieces.join('').length}` },
  };
  // biome-ignore format: a table
  const rows: readonly (readonly [title: string, request: S3Request, status: number])[] = [
    ['signed chunks',                     chunked,                                                                                                          200],
    ['a wrong hash of the body',          { method: 'PUT', target, body: `${secret}Body`, payload: '0'.repeat(64) },                                        400],
    ['a wrong signature',                 { method: 'PUT', target, body: `${secret}Body`, headers: customerKey, wrongSignature: true },                     403],
    ['a wrong Content-MD5',               { method: 'PUT', target, body: `${secret}Body`, headers: { 'content-md5': base64('0'.repeat(16)) } },             400],
    ['a policy that is not JSON',         { method: 'PUT', target: `/${BUCKET}?policy`, body: `{${header}` },                                               400],
    ['a lifecycle that is not XML',       { method: 'PUT', target: `/${BUCKET}?lifecycle`, body: `<${secret}` },                                            400],
    ['a deletion that is not XML',        { method: 'POST', target: `/${BUCKET}?delete`, body: `<${secret}` },                                              400],
    ['an unknown operation',              { method: 'PUT', target: `${target}?unknown=`, body: `${secret}Body`, headers: customerKey },                     501],
  ];
  for (const [title, request, status] of rows) {
    const reply = await call(request);
    exchanged(title, `${reply.status}\n${reply.body.toString('latin1')}`);
    if (reply.status !== status) faults.push(`${title}: ${reply.status} ${reply.body.toString('latin1').slice(0, 300)}`);
  }
  const signatures: string[] = [];
  for (const [method, wrongSignature, body] of [
    ['GET', false, undefined],
    ['GET', true, undefined],
    ['PUT', false, `${content}Presigned`],
    ['PUT', true, `${secret}Body`],
  ] as const) {
    const signed = presignS3(endpoint, credentials, { method, target, presigned, wrongSignature });
    signatures.push(new URLSearchParams(signed.slice(signed.indexOf('?'))).get('X-Amz-Signature') as string);
    const response = await fetch(endpoint + signed, { method, ...(body !== undefined && { body }) });
    const text = await response.text();
    if (response.status !== (wrongSignature ? 403 : 200)) faults.push(`presigned ${method}: ${response.status}`);
    if (wrongSignature && text.includes(`${secret}Body`)) faults.push('a refused upload is in the response');
  }
  return signatures;
}
