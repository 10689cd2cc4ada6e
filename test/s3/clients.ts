/** Unmodified clients of S3. Each creates a bucket, uploads, lists, downloads and deletes, and returns what its user notices. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { newFolder } from '../kit/folder.ts';
import type { Keys } from '../kit/keys.ts';
import { policy } from '../kit/policy.ts';
import type { TestServer } from '../kit/server.ts';

/** Facts that the user of a client notices. All clients must return the same. */
export interface Facts {
  /** Hashes of the two files after they were uploaded and downloaded. */
  readonly downloaded: readonly string[];
  /** Keys in a list of the bucket. */
  readonly listed: readonly string[];
  /** Content that a presigned URL returned, or the error code. */
  readonly byUrl: string;
}

/** Host name of the server, below which buckets have names. Only the SDK uses it, with a resolver of its own. */
export const S3_HOST = 's3.belfry.test';

const SMALL = 'a b/small+1.txt';
const LARGE = 'large';
/** Larger than one part of each client. */
const CONTENT: Readonly<Record<string, Buffer>> = { [SMALL]: Buffer.from('hello'), [LARGE]: Buffer.alloc(12_000_000, 'Belfry ') };

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
/** Facts of a client whose every request succeeds. */
export const EXPECTED: Facts = {
  downloaded: [SMALL, LARGE].map((name) => sha256(CONTENT[name] as Buffer)),
  listed: [SMALL, LARGE],
  byUrl: 'hello',
};

const folder = newFolder('s3');
const upload = join(folder, 'upload');
for (const [name, content] of Object.entries(CONTENT)) {
  mkdirSync(join(upload, name, '..'), { recursive: true });
  writeFileSync(join(upload, name), content);
}

const run = promisify(execFile);
const downloadedIn = (where: string): readonly string[] => [SMALL, LARGE].map((name) => sha256(readFileSync(join(where, name))));

/** Fetches a URL. Returns the content, or the code of the error. */
function fetchUrl(url: string, caFile: string): Promise<string> {
  const get = url.startsWith('https:') ? getHttps : getHttp;
  return new Promise((resolve, reject) => {
    get(url, { ca: readFileSync(caFile) }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve(/<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? text));
    }).on('error', reject);
  });
}

/** Runs the commands of a client. */
export type ClientRun = (server: TestServer, keys: Keys) => Promise<Facts>;

/** AWS CLI over HTTPS. */
export const awscli: ClientRun = async (server, keys) => {
  const program = ['/usr/bin/aws', '/usr/local/bin/aws'].find((file) => existsSync(file)) as string;
  const env = {
    PATH: process.env['PATH'],
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_CA_BUNDLE: server.caFile,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const aws = async (...command: readonly string[]): Promise<string> =>
    (await run(program, ['--endpoint-url', server.httpsEndpoint, 's3', ...command], { env })).stdout;
  const back = join(folder, 'aws');
  await aws('mb', 's3://aws-logs');
  await aws('cp', '--recursive', '--no-progress', upload, 's3://aws-logs');
  await aws('cp', '--recursive', '--no-progress', 's3://aws-logs', back);
  const byUrl = await fetchUrl((await aws('presign', `s3://aws-logs/${SMALL}`)).trim(), server.caFile);
  const removed = await aws('rb', '--force', 's3://aws-logs');
  const listed = [...removed.matchAll(/^delete: s3:\/\/aws-logs\/(.*)$/gm)].map(([, key]) => key as string);
  return { downloaded: downloadedIn(back), listed: listed.sort(), byUrl };
};

/** s3cmd over HTTP. */
export const s3cmd: ClientRun = async (server, keys) => {
  const { host } = new URL(server.endpoint);
  const config = join(folder, 's3cmd.ini');
  const settings = {
    access_key: keys.accessKeyId,
    secret_key: keys.secretAccessKey,
    host_base: host,
    host_bucket: host,
    use_https: 'False',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  writeFileSync(config, ['[default]', ...lines, 'multipart_chunk_size_mb = 5', ''].join('\n'), { mode: 0o600 });
  const s3 = async (...command: readonly string[]): Promise<string> =>
    (await run('/usr/bin/s3cmd', ['--config', config, '--no-progress', ...command])).stdout;
  const back = join(folder, 's3cmd');
  const document = join(folder, 'policy.json');
  const Statement = { Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::s3cmd-logs/secret/*' } as const;
  writeFileSync(document, policy(Statement as never));
  mkdirSync(back);
  await s3('mb', 's3://s3cmd-logs');
  await s3('put', '--recursive', `${upload}/`, 's3://s3cmd-logs');
  await s3('setpolicy', document, 's3://s3cmd-logs');
  const listed = [...(await s3('ls', '--recursive', 's3://s3cmd-logs')).matchAll(/s3:\/\/s3cmd-logs\/(.*)$/gm)];
  await s3('get', '--recursive', 's3://s3cmd-logs', back);
  const byUrl = await fetchUrl((await s3('signurl', `s3://s3cmd-logs/${SMALL}`, '+60')).trim(), server.caFile);
  await s3('rb', '--recursive', '--force', 's3://s3cmd-logs');
  return { downloaded: downloadedIn(back), listed: listed.map(([, key]) => key as string), byUrl };
};

/** rclone over HTTP. */
export const rclone: ClientRun = async (server, keys) => {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    RCLONE_CONFIG: join(folder, 'rclone.conf'),
    RCLONE_CONFIG_B_TYPE: 's3',
    RCLONE_CONFIG_B_PROVIDER: 'Other',
    RCLONE_CONFIG_B_ENDPOINT: server.endpoint,
    RCLONE_CONFIG_B_REGION: 'us-east-1',
    RCLONE_CONFIG_B_ACCESS_KEY_ID: keys.accessKeyId,
    RCLONE_CONFIG_B_SECRET_ACCESS_KEY: keys.secretAccessKey,
    RCLONE_CONFIG_B_CHUNK_SIZE: '5M',
    RCLONE_CONFIG_B_UPLOAD_CUTOFF: '5M',
  };
  const rc = async (...command: readonly string[]): Promise<string> => (await run('/usr/bin/rclone', command, { env })).stdout;
  const back = join(folder, 'rclone');
  await rc('mkdir', 'b:rclone-logs');
  await rc('copy', upload, 'b:rclone-logs');
  const listed = (await rc('lsf', '--recursive', '--files-only', 'b:rclone-logs')).trim().split('\n');
  await rc('copy', 'b:rclone-logs', back);
  const byUrl = await fetchUrl((await rc('link', '--expire', '1m', `b:rclone-logs/${SMALL}`)).trim(), server.caFile);
  await rc('purge', 'b:rclone-logs');
  return { downloaded: downloadedIn(back), listed: listed.sort(), byUrl };
};

/** AWS SDK for JavaScript over HTTP, with the bucket in the host name. Multipart uploads by hand, because its library is a package of its own. */
export const sdk: ClientRun = async (server, keys) => {
  const { port } = new URL(server.endpoint);
  const lookup = (_: string, options: { all?: boolean }, done: (...args: unknown[]) => void) =>
    options.all === true ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
  const client = new S3Client({
    ...server.client(keys),
    endpoint: `http://${S3_HOST}:${port}`,
    requestHandler: { httpAgent: new Agent({ keepAlive: true, lookup: lookup as never }) },
  });
  const Bucket = 'sdk-logs';
  await client.send(new CreateBucketCommand({ Bucket }));
  await client.send(new CreateBucketCommand({ Bucket }));
  await client.send(new HeadBucketCommand({ Bucket }));
  await client.send(new GetBucketLocationCommand({ Bucket }));
  const Statement = { Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/secret/*` } as const;
  await client.send(new PutBucketPolicyCommand({ Bucket, Policy: policy(Statement as never) }));
  const Rule = { ID: 'r', Status: 'Enabled', Filter: { Prefix: 'old/' }, Expiration: { Days: 30 } } as const;
  await client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [Rule] } }));
  await client.send(new PutObjectCommand({ Bucket, Key: SMALL, Body: CONTENT[SMALL] as Buffer }));
  await uploadInParts(client, { Bucket, Key: LARGE, ChecksumAlgorithm: 'CRC32' });
  await uploadInParts(client, { Bucket, Key: 'no-algorithm' });
  // A stream has a checksum in a trailer. Its end is larger than the limit of other requests.
  const size = (CONTENT[LARGE] as Buffer).length;
  await client.send(new PutObjectCommand({ Bucket, Key: 'stream', Body: createReadStream(join(upload, LARGE)), ContentLength: size }));
  const missing = await client.send(new HeadObjectCommand({ Bucket, Key: 'none' })).catch((error: Error) => error.name);
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
  const listed = Contents.map(({ Key = '' }) => Key);
  const downloaded = [];
  for (const Key of [SMALL, LARGE]) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    downloaded.push(sha256((await Body?.transformToByteArray()) as Uint8Array));
  }
  const byUrl = await fetchUrl(
    await presigned(client, `/${Bucket}/${SMALL.replace(' ', '%20').replace('+', '%2B')}`, server),
    server.caFile,
  );
  await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: Contents.map(({ Key }) => ({ Key })) } }));
  await client.send(new DeleteBucketCommand({ Bucket }));
  client.destroy();
  return {
    downloaded,
    listed: listed.filter((key) => key !== 'stream' && key !== 'no-algorithm'),
    byUrl: missing === 'NotFound' ? byUrl : `${missing}`,
  };
};

/** Uploads in parts, with the checksum of each part in the list as the SDK's own library does, or without an algorithm as AWS's example does. */
async function uploadInParts(client: S3Client, upload: CreateMultipartUploadCommandInput): Promise<void> {
  const content = CONTENT[LARGE] as Buffer;
  const { Bucket, Key, ChecksumAlgorithm } = upload;
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(upload));
  const Parts: CompletedPart[] = [];
  for (let PartNumber = 1; (PartNumber - 1) * PART_BYTES < content.length; PartNumber++) {
    const Body = content.subarray((PartNumber - 1) * PART_BYTES, PartNumber * PART_BYTES);
    const { ETag, ChecksumCRC32 } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
    Parts.push({ PartNumber, ETag, ...(ChecksumAlgorithm && { ChecksumCRC32 }) } as CompletedPart);
  }
  await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
}

const PART_BYTES = 5 * 2 ** 20;

/** Returns a URL that the signer of the SDK has signed. */
async function presigned(client: S3Client, path: string, { endpoint }: TestServer): Promise<string> {
  const { host, hostname, port } = new URL(endpoint);
  const signer = (await client.config.signer()) as unknown as {
    presign: (...args: unknown[]) => Promise<{ query: Record<string, string> }>;
  };
  const headers = { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
  const request = { method: 'GET', protocol: 'http:', hostname, port: Number(port), path, headers, query: {} };
  const { query } = await signer.presign(request, { expiresIn: 60, unsignableHeaders: new Set(['content-type']) });
  return `${endpoint}${path}?${new URLSearchParams(query)}`;
}
