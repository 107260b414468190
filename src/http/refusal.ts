import { AppError, type ErrorCode } from '../errors.ts'

/** A request that is refused for how it came, not for what it asks. `status` is HTTP's. */
export class Refusal extends AppError {
  readonly code: ErrorCode
  readonly status: number

  constructor(status: number, code: ErrorCode, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}
