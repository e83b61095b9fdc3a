import type { ServerResponse } from 'node:http'
import { AppError } from '@millrace/platform/errors.ts'
import { answerError } from '@millrace/platform/http/problem.ts'
import { sendError } from '@millrace/platform/http/respond.ts'
import type { ErrorDialect } from '@millrace/platform/http/route.ts'

/** What MLflow's scoring server has one code for: the request is at fault, whatever its status. */
const ONE_CODE = new Set([400, 405, 408, 413, 415])

/** Answers with an error in the dialect of its route; on scoring routes with the codes of MLflow's scoring server, which are fewer than those of its registry. */
export function sendFailure(response: ServerResponse, error: unknown, dialect: ErrorDialect, requestId: string): number {
  const answer = answerError(error, dialect, requestId)
  const plain = dialect !== 'mlflow' || response.headersSent || !(error instanceof AppError) || !ONE_CODE.has(answer.status)
  if (plain) return sendError(response, error, dialect, requestId)
  if (!response.req.complete) response.setHeader('connection', 'close')
  response.writeHead(answer.status, answer.headers)
  response.end(response.req.method === 'HEAD' ? undefined : JSON.stringify({ ...answer.body, error_code: 'BAD_REQUEST' }))
  return answer.status
}
