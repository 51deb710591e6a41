package size

import "fmt"

// Taken says, in one line, which size a deployment takes for what is asked for. It
// fails when that is more than the platform offers.
func Taken(id, architecture string, asked Size) (string, error) {
	switch id {
	case "EcsFargate", "EcsExpress":
		taken, ok := Fargate(asked)
		return combination(asked, taken, ok, "Fargate")
	case "AppRunner":
		taken, ok := AppRunner(asked)
		return combination(asked, taken, ok, "App Runner")
	case "Lambda":
		mib, ok := Lambda(asked)
		if !ok {
			return "", tooBig(asked, fmt.Sprintf("a function has %d MiB at most, and with them %d CPU units", mib, cpuOf(mib)))
		}
		return fmt.Sprintf("asked for %s; takes %d MiB, with which a function has %d CPU units", asked, mib, cpuOf(mib)), nil
	case "EksFargate":
		pod, ok := FargatePod(asked)
		if !ok {
			return "", tooBig(asked, fmt.Sprintf("a pod on Fargate has %s at most", pod))
		}
		return fmt.Sprintf("asked for %s; a pod takes %s, all that Fargate's next size leaves beside %d MiB for Kubernetes", asked, pod, KubernetesMiB), nil
	case "EcsEc2":
		i, ok := ECSMachines.For(architecture, asked, 1, ECSRoom)
		return onMachine(asked, i, ok)
	case "EcsManagedInstances":
		i, ok := ManagedMachines.For(architecture, asked, 1, ManagedRoom)
		return onMachine(asked, i, ok)
	case "EksEc2":
		i, ok := EKSMachines.For(architecture, asked, 2, EKSRoom)
		return onMachine(asked, i, ok)
	case "EksAuto":
		i, ok := AutoMachines.For(architecture, asked, 1, EKSRoom)
		return onMachine(asked, i, ok)
	}
	return fmt.Sprintf("asked for %s; takes that, which your servers have to have", asked), nil
}

func combination(asked, taken Size, ok bool, platform string) (string, error) {
	if !ok {
		return "", tooBig(asked, fmt.Sprintf("the largest of %s is %s", platform, taken))
	}
	return fmt.Sprintf("asked for %s; takes %s, the next size of %s", asked, taken, platform), nil
}

func onMachine(asked Size, taken Instance, ok bool) (string, error) {
	if !ok {
		return "", tooBig(asked, fmt.Sprintf("%s is the largest instance here", taken.Type))
	}
	return fmt.Sprintf("asked for %s; takes that, on %s", asked, taken.Type), nil
}

func tooBig(asked Size, why string) error {
	return fmt.Errorf("cpu and memory: got %s; %s: ask for less, or leave this deployment out with the stacks setting", asked, why)
}

// cpuOf is how many CPU units come with a function's memory.
func cpuOf(mib int) int { return mib * unitsPerVCPU / lambdaMiBPerVCPU }
