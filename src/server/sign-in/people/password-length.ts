/** Length of a password, in characters. Assumed: the minimum. Source of the maximum: IAM API reference, CreateLoginProfile. */
export const PASSWORD_LENGTH = { min: 8, max: 128 } as const;
