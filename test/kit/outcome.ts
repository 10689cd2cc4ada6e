/** Outcomes of SDK calls. */
import assert from 'node:assert/strict';

/** Error of an SDK call. */
export interface Refusal {
  /** Error code, such as `AccessDenied`. */
  readonly name: string;
  readonly status: number | undefined;
  readonly message: string;
}

/** Returns the error of a call. Fails if the call succeeds. */
export async function refusalOf(sent: Promise<unknown>): Promise<Refusal> {
  const { name, message, $metadata } = await errorOf(sent);
  return { name, status: $metadata?.httpStatusCode, message };
}

/** Returns the error of a call with its response. Fails if the call succeeds. */
export async function errorOf(sent: Promise<unknown>): Promise<
  Error & {
    readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string; readonly attempts?: number };
    readonly $response?: { readonly headers: Readonly<Record<string, string>> };
  }
> {
  const output = await sent.catch((error: Error) => error);
  return output instanceof Error ? output : assert.fail(`the call succeeded: ${JSON.stringify(output)}`);
}

/**
 * Returns `allowed`, or the error code of a call. Removes the suffix `Exception`, which only some services add to a
 * code.
 */
export async function outcomeOf(sent: Promise<unknown>): Promise<string> {
  return await sent.then(
    () => 'allowed',
    ({ name }: Error) => name.replace(/Exception$/, ''),
  );
}

/** Returns the error of a call as `code: message`. Fails if the call succeeds. */
export async function messageOf(sent: Promise<unknown>): Promise<string> {
  const { name, message } = await refusalOf(sent);
  return `${name}: ${message}`;
}

/**
 * Returns `allowed` if policies allowed a call, even if the operation is not implemented or the resource does not
 * exist. Returns `refused` if policies denied the call. Fails on any other error.
 *
 * `later`: an error code of the operation itself, which it returns only after policies allowed the call.
 */
export async function verdictOf(sent: Promise<unknown>, later?: string): Promise<'allowed' | 'refused'> {
  try {
    await sent;
    return 'allowed';
  } catch (error) {
    const { name, message } = error as Error;
    if (name === later) return 'allowed';
    if (/^(NotYetImplemented|NotFound|NoSuchEntity|BadRequest|ResourceNotFound)(Exception)?$/.test(name)) return 'allowed';
    if (isDenial(name)) return 'refused';
    assert.fail(`neither allowed nor denied by a policy: ${name}: ${message}`);
  }
}

const isDenial = (name: string) => name === 'AccessDenied' || name === 'AccessDeniedException' || name === 'ForbiddenException';

/** Returns the message of a denial. Fails unless policies deny the call. */
export async function denialOf(sent: Promise<unknown>): Promise<string> {
  const { name, status, message } = await refusalOf(sent);
  assert.ok(isDenial(name), `${name}: ${message}`);
  assert.equal(status, 403);
  return message;
}

/** Returns the encoded authorization message of a denial. DecodeAuthorizationMessage decodes it. */
export async function encodedDenialOf(sent: Promise<unknown>): Promise<string> {
  const { $response, message } = await errorOf(sent);
  return $response?.headers['x-belfry-authorization-message'] ?? assert.fail(`no encoded message: ${message}`);
}

/** Asserts that a call fails with an error code and a message. */
export async function assertRefused(sent: Promise<unknown>, code: string, expected: string | RegExp): Promise<void> {
  const { name, message } = await refusalOf(sent);
  assert.equal(name, code, message);
  if (typeof expected === 'string') assert.equal(message, expected);
  else assert.match(message, expected);
}
