/** The three protocols of CloudWatch, each with the unmodified client of the AWS SDK. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { AwsJson1_0Protocol, AwsQueryProtocol, AwsSmithyRpcV2CborProtocol } from '@aws-sdk/core/protocols';
import type { TestAccount } from './account.ts';
import type { Keys } from './keys.ts';

/** Protocols with their names in test titles. */
export const CLOUDWATCH_PROTOCOLS = [
  ['JSON', AwsJson1_0Protocol],
  ['Query', AwsQueryProtocol],
  ['CBOR', AwsSmithyRpcV2CborProtocol],
] as const;

/** Name of a protocol. */
export type CloudwatchProtocol = (typeof CLOUDWATCH_PROTOCOLS)[number][0];

/** Returns the clients of an account, one for each protocol. */
export function cloudwatchClients(
  account: Pick<TestAccount, 'client'>,
  keys?: Keys,
): readonly (readonly [CloudwatchProtocol, CloudWatchClient])[] {
  return CLOUDWATCH_PROTOCOLS.map(([name, protocol]) => [
    name,
    // With CBOR, this client sends the length of the body before its compression.
    new CloudWatchClient({ ...account.client(keys), protocol, disableRequestCompression: name === 'CBOR' }),
  ]);
}
