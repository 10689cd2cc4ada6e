/**
 * Rejects ARNs in an input that are not in canonical form, because authorization compares ARNs as strings.
 * `model/arn-inputs.ts` declares the canonical form.
 */
import { parseArn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import { type ArnInput, arnInputsOf } from '#model/arn-inputs.ts';
import type { OperationModel, ServiceModel } from '#model/model.ts';
import { isChime, type ServiceName } from '#model/services.ts';
import { lowerFirst, REASON } from './faults.ts';

type Input = Readonly<Record<string, unknown>>;

/**
 * Returns a check of the ARNs in an operation's input, or `undefined` if the input has none.
 *
 * Each checked member accepts ARNs of certain types. The check throws the service's validation error for the first
 * string that is not such an ARN in canonical form.
 */
export function arnCheck(model: ServiceModel, operation: OperationModel): ((input: Input) => void) | undefined {
  const inputs = arnInputsOf(model, operation);
  if (inputs.length === 0) return undefined;
  return (input) => {
    for (let i = 0; i < inputs.length; i++) requireCanonical(model.service, inputs[i] as ArnInput, input, 0);
  };
}

function requireCanonical(service: ServiceName, input: ArnInput, value: unknown, depth: number): void {
  if (value === undefined || value === null) return;
  const step = input.path[depth];
  if (step === undefined) {
    if (!input.isCanonical(value as string)) throw refusal(service, input, value as string);
  } else if (step === '[]') for (const each of value as readonly unknown[]) requireCanonical(service, input, each, depth + 1);
  else requireCanonical(service, input, (value as Input)[step], depth + 1);
}

/**
 * Returns the service's error for an invalid ARN.
 *
 * Source: users' reports for STS ("… is invalid"); security.md CHM-5 for the bearer of Chime requests.
 * Assumed: (1) the error code and message for other members of Chime requests and for other services, such as Access
 * Analyzer; (2) that a malformed bearer is rejected before authorization.
 */
function refusal(service: ServiceName, { path, types }: ArnInput, text: string): AwsError {
  if (service === 'iam') return new AwsError('ValidationError', iamMessage(types, text));
  if (service === 'sts') return new AwsError('ValidationError', `${text} is invalid`);
  if (path[0] === 'ChimeBearer') {
    return new AwsError(
      'UnauthorizedClientException',
      'An invalid app instance user ARN was supplied for the x-amz-chime-bearer HTTP header.',
    );
  }
  const name = path.map((step) => (step === '[]' ? 'member' : lowerFirst(step))).join('.');
  const wanted = types.map((type) => (type === 'elsewhere' ? 'an AWS resource' : type.slice(type.indexOf(':') + 1))).join(', ');
  const message = `Value at '${name}' is not a valid ARN of: ${wanted}`;
  return isChime(service) ? new AwsError('BadRequestException', message) : new AwsError('ValidationError', message, REASON);
}

/**
 * Returns IAM's message for an invalid ARN.
 *
 * Source: recordings of AttachRolePolicy and AttachUserPolicy in localstack/localstack, tests/aws/services/iam ("ARN … is not valid." until
 * 2023, "Invalid ARN:  Could not be parsed!" since); "Invalid ARN partition": pulumi-aws-apigateway, issue 347.
 * Assumed: for an ARN with a wrong resource type, service or region, the message is still "ARN … is not valid."
 */
function iamMessage(types: readonly string[], text: string): string {
  const parts = parseArn(text);
  // A member that accepts the serial number of a hardware MFA device accepts strings that are not ARNs. So its message
  // is `ARN … is not valid.`
  if (parts === undefined && !types.includes('hardware serial')) return 'Invalid ARN:  Could not be parsed!';
  return parts !== undefined && parts.partition !== 'aws' ? 'Invalid ARN partition' : `ARN ${text} is not valid.`;
}
