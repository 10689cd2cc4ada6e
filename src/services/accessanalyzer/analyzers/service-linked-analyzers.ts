/** Operations on analyzers that other AWS services create and manage. */
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import { refused } from '../../kit/not-yet.ts';
import type { ServiceOperations } from '../../kit/operation.ts';
import { AwsError } from '../kit/errors.ts';
import { analyzerArn, namedAnalyzer, onAnalyzer, onAnalyzerArn, placeOf } from '../kit/lookup.ts';

type Operations = ServiceOperations<AccessanalyzerApi>;

/**
 * Refused operations. No service of this server uses an analyzer.
 *
 * Source: accessanalyzer 2019-11-01, CreateServiceLinkedAnalyzer: "Direct customer invocation returns AccessDeniedException".
 * Assumed: its message, and the error for an analyzer that is not service-linked.
 */
export const serviceLinkedOperations = {
  CreateServiceLinkedAnalyzer: refused<Parameters<Operations['CreateServiceLinkedAnalyzer']['handle']>[1]>({
    access: (_input, caller) => onAnalyzerArn(analyzerArn({ ...placeOf(caller), name: '*' }), caller),
    async handle() {
      throw new AwsError('AccessDeniedException', 'Only AWS services can create service-linked analyzers.');
    },
  }),

  DeleteServiceLinkedAnalyzer: refused<Parameters<Operations['DeleteServiceLinkedAnalyzer']['handle']>[1]>({
    access: (input, caller) => onAnalyzer(input, caller),
    async handle(call, { analyzerName }) {
      await namedAnalyzer(call, analyzerName);
      const message = `The analyzer ${analyzerName} is not service-linked. Use DeleteAnalyzer.`;
      throw new AwsError('ValidationException', message, { reason: 'notSupported' });
    },
  }),
};
