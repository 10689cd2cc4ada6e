import { createHmac, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto';
import { derivedFrom, type OperatorKeys } from '#access/operator-keys.ts';
import type { AccountId } from '#core/arn.ts';
import type { OperationModel, ServiceModel } from '#model/model.ts';
import type { ServiceName } from '#model/services.ts';
import { invalidPageToken } from './services.ts';

/** The call that a page token belongs to. */
export interface PageScope {
  readonly service: ServiceName;
  readonly model: ServiceModel;
  readonly operation: OperationModel;
  readonly accountId: AccountId;
  readonly region: string;
}

/**
 * Authenticates page tokens. An operation accepts a token only if the same operation returned the token to the same
 * account in the same region. A token is not secret. Handlers may put positions and keys into a token, and need not
 * check whether the token is forged.
 */
export interface PageTokens {
  /**
   * Checks the authentication code in the client's token. Returns the input with this code removed from its token.
   *
   * @throws AwsError the service's error for an invalid token
   */
  open(scope: PageScope, input: unknown): unknown;
  /** Returns the output with an authentication code appended to its token. */
  seal(scope: PageScope, output: unknown): unknown;
}

/** Length of the authentication code in a token: 96 bits. It is short, because IAM limits a Marker to 320 characters. */
const CODE_BYTES = 12;
const CODE_CHARACTERS = 16;

const MEMBERS = ['NextToken', 'nextToken', 'Marker'] as const;

/**
 * Creates the functions for page tokens. The keys of the authentication codes derive from the operator key, so every
 * server of a database accepts the tokens.
 */
export function pageTokens(operatorKeys: OperatorKeys): PageTokens {
  const keys = derivedFrom(operatorKeys, (all) =>
    all.map((key) => createSecretKey(Buffer.from(hkdfSync('sha256', key, '', 'belfry page tokens', 32)))),
  );
  const codes = ({ service, operation, accountId, region }: PageScope, token: string): readonly Buffer[] =>
    keys().map((key) =>
      createHmac('sha256', key)
        .update(JSON.stringify([service, operation.name, accountId, region, token]))
        .digest()
        .subarray(0, CODE_BYTES),
    );

  return {
    open(scope, input) {
      const member = tokenMember(scope);
      const token = member === undefined ? undefined : (input as Readonly<Record<string, unknown>>)[member];
      if (member === undefined || token === undefined) return input;
      const text = String(token);
      const own = text.slice(0, -CODE_CHARACTERS);
      const code = Buffer.from(text.slice(-CODE_CHARACTERS), 'base64url');
      // The decoder skips invalid characters, so the code is encoded again and compared. Twelve bytes have only one base64url form.
      const isCode = code.length === CODE_BYTES && text.endsWith(code.toString('base64url'));
      if (!isCode || !codes(scope, own).some((valid) => timingSafeEqual(valid, code)))
        throw invalidPageToken(scope.service, scope.operation.name, member);
      return { ...(input as object), [member]: own };
    },
    seal(scope, output) {
      const member = tokenMember(scope);
      const token = member === undefined ? undefined : (output as Readonly<Record<string, unknown>> | undefined)?.[member];
      if (member === undefined || token === undefined) return output;
      const own = String(token);
      const [code] = codes(scope, own);
      return { ...(output as object), [member]: own + (code as Buffer).toString('base64url') };
    },
  };
}

/** Returns the name of the member with the page token, which is the same in input and output. */
function tokenMember({ service, model, operation }: PageScope): (typeof MEMBERS)[number] | undefined {
  // The marker of ListObjects is a key that the client chooses, and not a token.
  if (service === 's3') return undefined;
  const input = model.shapes[operation.input ?? '']?.members ?? {};
  const output = model.shapes[operation.output ?? '']?.members ?? {};
  return MEMBERS.find((member) => Object.hasOwn(input, member) && Object.hasOwn(output, member));
}
