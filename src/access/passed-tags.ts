import { AwsError } from '#core/aws-error.ts';
import type { Federation } from '#core/federation.ts';

/** Values that a token passes into the session, as claims or attributes. */
export type Passed = Pick<Federation, 'tags' | 'transitiveTagKeys' | 'sourceIdentity'>;

const SOURCE_IDENTITY = /^[\w+=,.@-]{2,64}$/;

/**
 * Checks the values that a token passes into the session. The limits are the same as for the parameters Tags and
 * SourceIdentity of an AssumeRole request.
 *
 * @throws InvalidIdentityTokenException  there are more than 50 tags, the source identity is invalid, or a tag is too long or does not have
 *   exactly one value
 *
 * Source: IAM User Guide, "Passing session tags in AWS STS". Assumed: the error messages.
 */
export function passed(
  tags: readonly (readonly [key: string, values: readonly string[]])[],
  transitiveTagKeys: readonly string[],
  sourceIdentity: string | undefined,
): Passed {
  if (tags.length > 50) throw invalid(`The token passes ${tags.length} session tags. The maximum is 50.`);
  if (sourceIdentity !== undefined && !SOURCE_IDENTITY.test(sourceIdentity)) {
    throw invalid(
      `Invalid source identity '${sourceIdentity.slice(0, 64)}' in the token. It must have 2 to 64 characters: letters, digits and _+=,.@-`,
    );
  }
  return {
    tags: tags.map(([Key, [Value, ...more]]) => {
      if (Value === undefined || more.length > 0 || Key.length < 1 || Key.length > 128 || Value.length > 256) {
        throw invalid(
          `Invalid session tag '${Key.slice(0, 128)}' in the token. A tag has a key of 1 to 128 characters and one value of at most 256 characters.`,
        );
      }
      return { Key, Value };
    }),
    transitiveTagKeys,
    ...(sourceIdentity !== undefined && { sourceIdentity }),
  };
}

/** Returns the error for an invalid token. */
export function invalid(message: string): AwsError {
  return new AwsError('InvalidIdentityTokenException', message);
}
