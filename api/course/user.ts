import { findCourseUser, type CourseUser } from '../../db/courses.ts';
import type { Caller } from '../caller.ts';
import type { Services } from '../env.ts';
import { CourseFailure } from './failures.ts';

/**
 * Who asks: the parameter `token`, or else the bearer token.
 * @throws CourseFailure not_signed_in
 */
export async function identify(
  { db }: Pick<Services, 'db'>,
  params: URLSearchParams,
  authorization: string | undefined,
): Promise<CourseUser> {
  const [, bearer = ''] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
  const token = params.get('token') || bearer;
  const user = token === '' ? null : await findCourseUser(db, token);
  if (!user) throw new CourseFailure('not_signed_in');
  return user;
}

/** A user orders at its merchant, and nothing else. */
export const callerOf = ({ id, merchant }: CourseUser): Caller => ({
  kind: 'key',
  key: `course-user:${id}`,
  scopes: new Set(['orders:read', 'orders:write']),
  merchant,
  actor: { type: 'customer', name: null },
});
