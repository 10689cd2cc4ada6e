/**
 * Errors of Organizations. Most of them have a `Reason` in addition to the code.
 *
 * Source: organizations 2016-11-28, the exceptions and their reasons.
 * Source: the following issues on GitHub quote messages of AWS: org-formation-cli 332 and 368 (size, depth),
 * cloudformation-coverage-roadmap 2245 (duplicate name), terraform-provider-aws 41493 (attachments).
 * Assumed: the other messages.
 */
import { AwsError } from './errors.ts';

// biome-ignore format: a table
const MESSAGES = {
  AWSOrganizationsNotInUseException:              'Your account is not a member of an organization.',
  AccessDeniedException:                          "You don't have permissions to access this resource.",
  AlreadyInOrganizationException:                 'The AWS account is already a member of an organization.',
  AccountNotFoundException:                       "You specified an account that doesn't exist.",
  AccountAlreadyClosedException:                  'The provided account is already closed.',
  ChildNotFoundException:                         "You specified a child that doesn't exist.",
  CreateAccountStatusNotFoundException:           "You specified an account creation request that doesn't exist.",
  DestinationParentNotFoundException:             "You specified a destination parent that doesn't exist.",
  DuplicateAccountException:                      'That account is already present in the specified destination.',
  DuplicateHandshakeException:                    'A handshake with the same action and target already exists.',
  DuplicateOrganizationalUnitException:           'An OU with the same name already exists.',
  DuplicatePolicyAttachmentException:             'The selected policy is already attached to the specified target.',
  DuplicatePolicyException:                       'A policy with the specified name and type already exists.',
  EffectivePolicyNotFoundException:               "The specified target has no effective policy of the specified type.",
  HandshakeAlreadyInStateException:               'The specified handshake is already in the requested state.',
  HandshakeNotFoundException:                     "You specified a handshake that doesn't exist.",
  InvalidHandshakeTransitionException:            "You can't perform the operation on the handshake in its current state.",
  MasterCannotLeaveOrganizationException:         'The management account cannot be removed from an organization.',
  OrganizationNotEmptyException:                  "The organization isn't empty. Remove all accounts but the management account first.",
  OrganizationalUnitNotEmptyException:            'The specified OU is not empty. Move all accounts and OUs out of it first.',
  OrganizationalUnitNotFoundException:            "You specified an organizational unit that doesn't exist.",
  ParentNotFoundException:                        "You specified a parent that doesn't exist.",
  PolicyInUseException:                           'The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation.',
  PolicyNotAttachedException:                     "The policy isn't attached to the specified target.",
  PolicyNotFoundException:                        "You specified a policy that doesn't exist.",
  PolicyTypeAlreadyEnabledException:              'The specified policy type is already enabled.',
  PolicyTypeNotAvailableForOrganizationException: 'The specified policy type is not available with the features of this organization.',
  PolicyTypeNotEnabledException:                  'This operation can be performed only for enabled policy types.',
  RootNotFoundException:                          "You specified a root that doesn't exist.",
  SourceParentNotFoundException:                  "You specified a source parent that doesn't exist.",
  TargetNotFoundException:                        "You specified a target that doesn't exist.",
} as const;

/** Reasons of ConstraintViolationException that the operations use. */
type Constraint =
  | 'ACCOUNT_NUMBER_LIMIT_EXCEEDED'
  | 'HANDSHAKE_RATE_LIMIT_EXCEEDED'
  | 'OU_NUMBER_LIMIT_EXCEEDED'
  | 'OU_DEPTH_LIMIT_EXCEEDED'
  | 'POLICY_NUMBER_LIMIT_EXCEEDED'
  | 'POLICY_CONTENT_LIMIT_EXCEEDED'
  | 'MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED'
  | 'MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED'
  | 'ACCOUNT_CANNOT_LEAVE_ORGANIZATION'
  | 'MEMBER_ACCOUNT_PAYMENT_INSTRUMENT_REQUIRED'
  | 'WAIT_PERIOD_ACTIVE'
  | 'CANNOT_CLOSE_MANAGEMENT_ACCOUNT'
  | 'CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG'
  | 'MAX_TAG_LIMIT_EXCEEDED'
  | 'ORGANIZATION_NOT_IN_ALL_FEATURES_MODE';

/** Reasons of InvalidInputException that the operations use. */
type Invalid =
  | 'DUPLICATE_TAG_KEY'
  | 'IMMUTABLE_POLICY'
  | 'INVALID_ENUM'
  | 'INVALID_NEXT_TOKEN'
  | 'INVALID_PARTY_TYPE_TARGET'
  | 'INVALID_SYSTEM_TAGS_PARAMETER'
  | 'TARGET_NOT_SUPPORTED'
  | 'UNRECOGNIZED_SERVICE_PRINCIPAL';

/** Returns an error that has only a code and a fixed message. */
export function refusal(code: keyof typeof MESSAGES): AwsError {
  return new AwsError(code, MESSAGES[code]);
}

/** Returns a ConstraintViolationException with its reason. */
export function constraintViolation(reason: Constraint, message: string): AwsError {
  return new AwsError('ConstraintViolationException', message, { Reason: reason });
}

/** Returns a HandshakeConstraintViolationException with its reason. */
export function handshakeViolation(reason: 'ACCOUNT_NUMBER_LIMIT_EXCEEDED' | 'ALREADY_IN_AN_ORGANIZATION', message: string): AwsError {
  return new AwsError('HandshakeConstraintViolationException', message, { Reason: reason });
}

/** Returns an InvalidInputException with its reason. */
export function invalidInput(reason: Invalid, message: string): AwsError {
  return new AwsError('InvalidInputException', message, { Reason: reason });
}
