# Written by `trimtab render manifests` for vision:ecs, recommendation 0123456789abcdef.
# Made 2026-01-05T08:00:00Z; expires 2026-01-05T14:00:00Z: render again by then, or roll back.
# Now: 20 replicas (on average 20.00: 20.00 on demand), dedicated, m6i.large, 1400.00 USD a month.
# Proposed: 12 replicas (on average 12.00: 4.00 reserved, 3.10 on demand, 4.90 spot), dedicated, m6i.large, 840.00 USD a month.
# Saving: 560.00 USD a month (between 510.00 and 610.00).
# Why: The week's peak needs 16 replicas.\nNot a new line. (forecast_peak)
# Apply: put it beside the Terraform of the service, then terraform apply
# Roll back: take it out, terraform apply, then aws ecs update-service --cluster inference --service digits --desired-count 20
resource "aws_appautoscaling_target" "trimtab_vision_ecs_6f473fbe" {
  service_namespace  = "ecs"
  resource_id        = "service/inference/digits"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = 16
  max_capacity       = 40

  lifecycle {
    ignore_changes = [min_capacity]
  }
}

resource "aws_appautoscaling_policy" "trimtab_vision_ecs_6f473fbe" {
  name               = "trimtab-vision-ecs-6f473fbe-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.trimtab_vision_ecs_6f473fbe.service_namespace
  resource_id        = aws_appautoscaling_target.trimtab_vision_ecs_6f473fbe.resource_id
  scalable_dimension = aws_appautoscaling_target.trimtab_vision_ecs_6f473fbe.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = 70
    scale_in_cooldown  = 300
    scale_out_cooldown = 60

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_appautoscaling_scheduled_action" "trimtab_vision_ecs_6f473fbe_1" {
  name               = "trimtab-vision-ecs-6f473fbe-1"
  service_namespace  = aws_appautoscaling_target.trimtab_vision_ecs_6f473fbe.service_namespace
  resource_id        = aws_appautoscaling_target.trimtab_vision_ecs_6f473fbe.resource_id
  scalable_dimension = aws_appautoscaling_target.trimtab_vision_ecs_6f473fbe.scalable_dimension
  schedule           = "cron(0 8 ? * SAT *)"
  timezone           = "UTC"

  scalable_target_action {
    min_capacity = 6
    max_capacity = 40
  }
}

resource "aws_appautoscaling_scheduled_action" "trimtab_vision_ecs_6f473fbe_2" {
  name               = "trimtab-vision-ecs-6f473fbe-2"
  service_namespace  = aws_appautoscaling_target.trimtab_vision_ecs_6f473fbe.service_namespace
  resource_id        = aws_appautoscaling_target.trimtab_vision_ecs_6f473fbe.resource_id
  scalable_dimension = aws_appautoscaling_target.trimtab_vision_ecs_6f473fbe.scalable_dimension
  schedule           = "cron(0 8 ? * MON,TUE,WED,THU,FRI *)"
  timezone           = "UTC"

  scalable_target_action {
    min_capacity = 16
    max_capacity = 40
  }
}

resource "aws_appautoscaling_scheduled_action" "trimtab_vision_ecs_6f473fbe_3" {
  name               = "trimtab-vision-ecs-6f473fbe-3"
  service_namespace  = aws_appautoscaling_target.trimtab_vision_ecs_6f473fbe.service_namespace
  resource_id        = aws_appautoscaling_target.trimtab_vision_ecs_6f473fbe.resource_id
  scalable_dimension = aws_appautoscaling_target.trimtab_vision_ecs_6f473fbe.scalable_dimension
  schedule           = "cron(45 19 ? * MON,TUE,WED,THU,FRI *)"
  timezone           = "UTC"

  scalable_target_action {
    min_capacity = 9
    max_capacity = 40
  }
}

# For the service's own resource (aws_ecs_service), which has to have `force_new_deployment = true`:
#   dynamic "capacity_provider_strategy" {
#     for_each = local.trimtab_vision_ecs_6f473fbe_capacity_provider_strategy
#     content {
#       capacity_provider = capacity_provider_strategy.value.capacity_provider
#       base              = capacity_provider_strategy.value.base
#       weight            = capacity_provider_strategy.value.weight
#     }
#   }
locals {
  trimtab_vision_ecs_6f473fbe_capacity_provider_strategy = [
    { capacity_provider = "FARGATE", base = 4, weight = 39 },
    { capacity_provider = "FARGATE_SPOT", base = 0, weight = 61 },
  ]
}
