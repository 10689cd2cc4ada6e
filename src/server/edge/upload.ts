/**
 * Requests whose head the core decides before the body is read: those of S3 with a body that the server stores in a file, and those of SCIM. Then
 * the main thread reads the body, and the core decides again and commits.
 */
import type { IncomingMessage } from 'node:http';
import { AwsError } from '#core/aws-error.ts';
import type { Answer, Received, StoredBody } from '#core/exchange.ts';
import { bodyVerifier } from '#wire/body-verifier.ts';
import { type BodyPlan, tooLarge } from '../core/body-plan.ts';
import type { BodyWriter } from '../object-files.ts';
import { SCIM_PATH } from '../sign-in/paths.ts';
import { storedBody } from '../stored-body.ts';
import { receiveBody } from './receive-body.ts';
import { type Accepted, drain, NO_BODY, type ReceiveParts, receivedOf, respond } from './respond.ts';
import { checkProgress, STREAM_BYTES } from './transfer-limits.ts';
import { UNREADABLE } from './unreadable.ts';

/**
 * Reports whether the head of a request must be decided before its body is read: a PUT that is signed for S3, and a request to the SCIM endpoint
 * with a body, which needs a key. The test reads unverified headers, so it only selects the path. The core decides what the request is.
 */
export function needsAdmission({ method, url = '', headers }: IncomingMessage): boolean {
  const { authorization = '' } = headers;
  if (url.startsWith(`${SCIM_PATH}/`)) return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  if (method !== 'PUT') return false;
  return authorization.includes('/s3/aws4_request') || /[?&]X-Amz-Credential=[^&]*(?:%2F|\/)s3(?:%2F|\/)aws4_request/i.test(url);
}

/** Decides about the head of a request, and then reads its body into a file or into memory. */
export function receiveUpload(accepted: Accepted, parts: ReceiveParts): void {
  const { request, response, client, load, refuse } = accepted;
  const { connections } = parts;
  const head = receivedOf(request, client, NO_BODY);
  if (!connections.hold(load, STREAM_BYTES) || !connections.wait(load)) {
    refuse(UNREADABLE.load);
    return;
  }
  parts
    .admit(head)
    .then(async (answer) => {
      connections.settle(load);
      const { admission } = answer;
      // From here on the request waits again, so it must not be counted twice.
      if (!connections.readOn(load)) return;
      if (admission === undefined) {
        // The client may wait for 100 Continue, and may not send the body after this response. So the connection cannot be used again.
        drain(accepted, parts, accepted.expectsContinue);
        respond(accepted, parts, () => Promise.resolve(answer));
        return;
      }
      if (admission === 'buffer') {
        connections.charge(load, -STREAM_BYTES);
        receiveBody(accepted, parts);
        return;
      }
      load.uploads = true;
      if (accepted.expectsContinue) response.writeContinue();
      await store(accepted, parts, head, admission);
    })
    .catch(() => {
      connections.settle(load);
      response.destroy();
    });
}

/** Stores the body of an admitted request, and passes the request to the core. */
async function store(accepted: Accepted, parts: ReceiveParts, head: Received, plan: BodyPlan): Promise<void> {
  const { load, response } = accepted;
  let begun: BodyWriter | undefined;
  let writer: BodyWriter;
  let stored: StoredBody;
  try {
    begun = writer = await parts.bodies.create(load.source.name);
    stored = await receiveInto(writer, accepted, parts, plan);
    await writer.commit();
  } catch (error) {
    await begun?.abort();
    if (load.closed || response.destroyed) return;
    const refusal = error instanceof AwsError ? error : new AwsError('InternalFailure', STORING_FAILED);
    if (!(error instanceof AwsError)) parts.reportBody(head.requestId, error);
    drain(accepted, parts, false);
    const { code, message, members } = refusal;
    respond(accepted, parts, () => parts.refuseBody(head, { code, message, members }));
    return;
  }
  const isSent = !load.closed && respond(accepted, parts, () => commit(writer, parts, { ...head, stored }));
  if (!isSent) await writer.abort();
}

const STORING_FAILED = 'The server could not store the body. Please retry.';

/**
 * Passes a request with a stored body to the core. An error of the client (4xx) says that the core has not committed, so the file is
 * deleted. After any other error, or without a response, the file stays: the result of the commit may be unknown. The next start of the
 * server deletes the file if no row names it.
 */
async function commit(writer: BodyWriter, { answer }: ReceiveParts, received: Received): Promise<Answer> {
  const answered = await answer(received);
  if (answered.status >= 400 && answered.status < 500) await writer.abort();
  return answered;
}

/**
 * Reads a body into a file, one piece after the other.
 *
 * @throws AwsError  the content does not match its plan
 * @throws Error     the client closed the connection, the upload was too slow, or the disk failed
 */
async function receiveInto(
  writer: BodyWriter,
  { request }: Accepted,
  { transferLimits }: ReceiveParts,
  plan: BodyPlan,
): Promise<StoredBody> {
  const verifier = bodyVerifier(plan.declaration, plan.compute);
  let length = 0;
  const progress = checkProgress(transferLimits, () => request.destroy(new Error('the upload is too slow')));
  try {
    for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      for (const bytes of verifier.write(piece)) {
        length += bytes.length;
        if (length > plan.maxBytes) throw tooLarge(plan.maxBytes, length);
        // While the disk or the service stores bytes, the client cannot send any. The service has time limits of its own.
        progress.suspend(true);
        await writer.write(bytes);
        progress.suspend(false);
      }
      progress.moved(piece.length);
    }
    return storedBody(writer.id, verifier.end());
  } finally {
    progress.stop();
  }
}
