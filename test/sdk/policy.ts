import assert from 'node:assert/strict';

/** Returns a policy document with these statements. */
export function policy(...statements: readonly Readonly<Record<string, unknown>>[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

/** Returns the error of an SDK call. Fails if the call succeeds. */
export async function refusalOf(
  sent: Promise<unknown>,
): Promise<{ readonly name: string; readonly status: number | undefined; readonly message: string }> {
  try {
    const output = await sent;
    assert.fail(`it was allowed: ${JSON.stringify(output)}`);
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    const { name, message, $metadata } = error as Error & { readonly $metadata?: { readonly httpStatusCode?: number } };
    return { name, status: $metadata?.httpStatusCode, message };
  }
}
