/** Checksums as members of inputs and outputs. */
import type { ChecksumAlgorithmName } from '#core/exchange.ts';
import { AwsError } from './errors.ts';

/** Members of inputs and outputs that contain checksums. */
export interface ChecksumMembers {
  readonly ChecksumCRC32?: string;
  readonly ChecksumCRC32C?: string;
  readonly ChecksumCRC64NVME?: string;
  readonly ChecksumSHA1?: string;
  readonly ChecksumSHA256?: string;
}

/** Checksum algorithms of this server, in the order of AWS's messages. */
export const CHECKSUM_ALGORITHMS: readonly ChecksumAlgorithmName[] = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'];

/** Returns the member of one checksum. */
export function checksumMember(algorithm: ChecksumAlgorithmName, value: string): ChecksumMembers {
  return { [`Checksum${algorithm}`]: value };
}

/** Returns the first checksum in an input, if it has one. */
export function checksumIn(input: ChecksumMembers): { readonly algorithm: ChecksumAlgorithmName; readonly value: string } | undefined {
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value = input[`Checksum${algorithm}`];
    if (value !== undefined) return { algorithm, value };
  }
  return undefined;
}

/** Reports whether the server can compute an algorithm that the model has. */
export function isComputed(algorithm: string): algorithm is ChecksumAlgorithmName {
  return (CHECKSUM_ALGORITHMS as readonly string[]).includes(algorithm);
}

/** Returns the error for an algorithm that this server does not compute. Recorded: LocalStack's snapshots of AWS, `test_s3_checksum_no_algorithm`. */
export function unsupportedAlgorithm(): AwsError {
  const valid = CHECKSUM_ALGORITHMS.join(', ');
  return new AwsError(
    'InvalidRequest',
    `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${valid}]`,
  );
}
