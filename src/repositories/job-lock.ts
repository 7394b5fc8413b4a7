/**
 * A job's row, locked, found by its id alone: what else must hold is asked outside. A statement that joins `jobs` with
 * its values gets another plan while the table is young and has no statistics (all running jobs, or the whole table,
 * each time), and as a prepared one keeps it until they come. Where several rows are locked, they come in the order of
 * their ids, so that two statements cannot lock each other up.
 * OFFSET keeps the conditions around it out of its plan.
 * @param id expression of the statement around it
 */
export function lockedJob(id: string): string {
  return `SELECT * FROM jobs AS held_job WHERE held_job.id = ${id} OFFSET 0 FOR UPDATE`;
}
