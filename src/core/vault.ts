/** Secrets at rest: sealed under the operator key, bound to what they belong to. */
export interface Vault {
  /** Seals a secret; `boundTo` (for example an access key id) must be given again to open it. Text safe for JSON and SQL. */
  seal(secret: string, boundTo: string): string;
  /** @throws Error where the text was altered, belongs to something else or to another operator key */
  open(sealed: string, boundTo: string): string;
}
