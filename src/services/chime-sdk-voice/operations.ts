import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { alexaSkillOperations } from './alexa-skills.ts';
import { connectorNumberOperations } from './connector-numbers.ts';
import { connectorOperations } from './connectors.ts';
import type { VoiceDeps } from './deps.ts';
import { emergencyCallingOperations } from './emergency-calling.ts';
import { externalSystemsOperations } from './external-systems.ts';
import { groupOperations } from './groups.ts';
import { loggingOperations } from './logging.ts';
import { mediaApplicationCallOperations } from './media-application-calls.ts';
import { originationOperations } from './origination.ts';
import { phoneNumberOperations } from './phone-numbers.ts';
import { proxyOperations } from './proxies.ts';
import { settingsOperations } from './settings.ts';
import { sipMediaApplicationOperations } from './sip-media-applications.ts';
import { sipRuleOperations } from './sip-rules.ts';
import { streamingOperations } from './streaming.ts';
import { voiceTagOperations } from './tags.ts';
import { terminationOperations } from './termination.ts';
import { terminationCredentialOperations } from './termination-credentials.ts';
import { voiceAnalysisOperations } from './voice-analysis.ts';
import { voiceProfileDomainOperations } from './voice-profile-domains.ts';

/** Returns the operations of Chime SDK Voice. `tools/parity/reasons.ts` says why some are refused. */
export function voiceOperations(deps: VoiceDeps): OperationTable<'chime-sdk-voice'> {
  return operationTable('chime-sdk-voice', {
    ...connectorOperations(deps),
    ...originationOperations(deps),
    ...terminationOperations(deps),
    ...terminationCredentialOperations(deps),
    ...emergencyCallingOperations,
    ...externalSystemsOperations,
    ...loggingOperations,
    ...streamingOperations(),
    ...groupOperations(deps),
    ...sipMediaApplicationOperations(deps),
    ...alexaSkillOperations,
    ...sipRuleOperations(deps),
    ...mediaApplicationCallOperations,
    ...voiceProfileDomainOperations(deps),
    ...voiceAnalysisOperations,
    ...proxyOperations,
    ...settingsOperations(deps),
    ...phoneNumberOperations,
    ...connectorNumberOperations,
    ...voiceTagOperations,
  });
}
