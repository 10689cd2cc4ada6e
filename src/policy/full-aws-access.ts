import type { Arn } from '#core/arn.ts';

/**
 * Service control policy that AWS provides in every organization. It allows everything.
 *
 * Source: AWS Organizations User Guide, "Service control policies (SCPs)", FullAWSAccess.
 */
export const FULL_AWS_ACCESS = {
  policyId: 'p-FullAWSAccess',
  arn: 'arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess' as Arn,
  name: 'FullAWSAccess',
  description: 'Allows access to every operation',
  content: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }),
} as const;
