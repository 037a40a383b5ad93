#!/bin/sh
# Serves by the week's schedule alone. What that costs and misses is the row `schedule` of the recommendation's
# replay; the saving below is that of following the recommendation.
# Written by `trimtab render manifests` for vision:ecs, recommendation 0123456789abcdef.
# Made 2026-01-05T08:00:00Z; expires 2026-01-05T14:00:00Z: render again by then, or roll back.
# Now: 20 replicas (on average 20.00: 20.00 on demand), dedicated, m6i.large, 1400.00 USD a month.
# Proposed: 12 replicas (on average 12.00: 4.00 reserved, 3.10 on demand, 4.90 spot), dedicated, m6i.large, 840.00 USD a month.
# Saving: 560.00 USD a month (between 510.00 and 610.00).
# Why: The week's peak needs 16 replicas.\nNot a new line. (forecast_peak)
# Apply: sh ecs/vision-ecs-6f473fbe-schedule.sh (the service is a registered scalable target)
# Roll back: for n in 1 2 3; do aws application-autoscaling delete-scheduled-action --service-namespace ecs --resource-id service/inference/digits --scalable-dimension ecs:service:DesiredCount --scheduled-action-name trimtab-vision-ecs-6f473fbe-$n; done && aws ecs update-service --cluster inference --service digits --desired-count 20
set -eu
aws application-autoscaling put-scheduled-action --cli-input-json '{"ServiceNamespace": "ecs", "ResourceId": "service/inference/digits", "ScalableDimension": "ecs:service:DesiredCount", "ScheduledActionName": "trimtab-vision-ecs-6f473fbe-1", "Schedule": "cron(0 8 ? * SAT *)", "Timezone": "UTC", "ScalableTargetAction": {"MinCapacity": 6, "MaxCapacity": 6}}'
aws application-autoscaling put-scheduled-action --cli-input-json '{"ServiceNamespace": "ecs", "ResourceId": "service/inference/digits", "ScalableDimension": "ecs:service:DesiredCount", "ScheduledActionName": "trimtab-vision-ecs-6f473fbe-2", "Schedule": "cron(0 8 ? * MON,TUE,WED,THU,FRI *)", "Timezone": "UTC", "ScalableTargetAction": {"MinCapacity": 16, "MaxCapacity": 16}}'
aws application-autoscaling put-scheduled-action --cli-input-json '{"ServiceNamespace": "ecs", "ResourceId": "service/inference/digits", "ScalableDimension": "ecs:service:DesiredCount", "ScheduledActionName": "trimtab-vision-ecs-6f473fbe-3", "Schedule": "cron(45 19 ? * MON,TUE,WED,THU,FRI *)", "Timezone": "UTC", "ScalableTargetAction": {"MinCapacity": 9, "MaxCapacity": 9}}'
