-- What has not begun is called as it is of mails, deliveries and runs of tasks.
ALTER TYPE "DeploymentStatus" RENAME VALUE 'WAITING' TO 'PENDING';
ALTER TYPE "ExecutionStatus" RENAME VALUE 'WAITING' TO 'PENDING';
