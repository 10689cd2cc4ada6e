import assert from 'node:assert/strict';

/** Wrong passwords for one name after which no wait begins. Source: `PASSWORD_RULE`. */
export const FREE = 5;

/**
 * Further wrong passwords that a server may accept because the machine is so busy that the wait ends before the next attempt. The wait begins
 * with a second and doubles with each failure. It is fewer than `FREE`, so a server that does not know the failures on another one is found.
 */
const AFTER_WAITS_MAX = FREE - 1;

/** Responses to wrong passwords for one name. */
export interface WrongPasswords<Reply> {
  /** At least `FREE` responses. */
  readonly failures: readonly Reply[];
  /** First response that is not 401. */
  readonly refusal: Reply;
}

/** Sends wrong passwords for one name until the server refuses an attempt. `attempt` gets the number of failures so far. */
export async function untilRefused<Reply extends { readonly status: number }>(
  attempt: (failures: number) => Promise<Reply>,
): Promise<WrongPasswords<Reply>> {
  const failures: Reply[] = [];
  for (;;) {
    const reply = await attempt(failures.length);
    if (reply.status !== 401) {
      assert.ok(failures.length >= FREE, `refused after ${failures.length} failures`);
      return { failures, refusal: reply };
    }
    failures.push(reply);
    assert.ok(failures.length <= FREE + AFTER_WAITS_MAX, `${failures.length} failures without a wait`);
  }
}
