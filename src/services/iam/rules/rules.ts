import type { ConfigurationRule } from '../../kit/configuration-rule.ts';
import { ACCOUNT_RULES } from './account-rules.ts';
import { POLICY_RULES } from './policy-rules.ts';
import { USER_RULES } from './user-rules.ts';

/** Configuration rules about IAM. */
export const IAM_RULES: readonly ConfigurationRule[] = [...ACCOUNT_RULES, ...USER_RULES, ...POLICY_RULES];
