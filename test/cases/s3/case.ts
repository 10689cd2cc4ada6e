/** Form of the cases of S3, and the requests that they share. */
import type { S3Request } from '../../kit/s3.ts';

/**
 * Evidence for a case.
 *
 * - `R`: a response that LocalStack's tests recorded on AWS
 * - `G`: a guide or a reference of AWS
 * - `V`, `I`: an issue of another project that quotes a response of S3
 * - `T`: a trial with unmodified clients
 * - `A`: our assumption
 */
export type Source = 'R' | 'G' | 'V' | 'I' | 'T' | 'A';

/** One request and its response. */
export interface S3Case {
  /** Number of the rule, from 1 to 60. Absent for cases that belong to no rule. */
  readonly row?: number;
  readonly title: string;
  readonly source: Source;
  /** Caller. `ada` is a user of the account without a permission of her own, `other` the administrator of another account. */
  readonly by?: 'ada' | 'other';
  /** `{upload}` in the target and in the body is the ID that the last `keepsUpload` found. */
  readonly request: S3Request;
  readonly keepsUpload?: true;
  readonly status: number;
  readonly code?: string;
  readonly message?: string;
  /** Texts of elements of the body, by name. `undefined`: the body has no such element. */
  readonly elements?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  /** Text that the body contains. */
  readonly contains?: string;
}

type Headers = Readonly<Record<string, string>>;

export const put = (target: string, body = '', headers: Headers = {}): S3Request => ({ method: 'PUT', target, body, headers });
export const get = (target: string, headers: Headers = {}): S3Request => ({ method: 'GET', target, headers });
export const head = (target: string): S3Request => ({ method: 'HEAD', target });
export const remove = (target: string): S3Request => ({ method: 'DELETE', target });
export const post = (target: string, body = '', headers: Headers = {}): S3Request => ({ method: 'POST', target, body, headers });
