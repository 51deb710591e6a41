// Package image provides the container image that a deployment runs: the sample
// app built from source, or one that the user named.
package image

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecr"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecrassets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/internal/project"
	"refdeploy/internal/settings"
)

// Props configures [New].
type Props struct {
	// Architecture is what the image is built for. Required.
	Architecture settings.Architecture

	// Registry is an image to run as it is, such as
	// public.ecr.aws/nginx/nginx:1.29. Default: build one.
	Registry string

	// Directory is what to build, with its Dockerfile and its .dockerignore: a path
	// from the project's root, or an absolute one. Default: "", build app/.
	Directory string
}

// Image is a container image in a registry, and the right to pull it.
type Image struct {
	// URI names the image for whatever is not ECS.
	URI *string

	// Container names the image for an ECS task, whose execution role it lets
	// pull.
	Container awsecs.ContainerImage

	// Repository is the ECR repository, or nil when the image is public.
	Repository awsecr.IRepository
}

// New defines the image. The Docker build happens on deploy, never on synth.
func New(scope constructs.Construct, id string, props *Props) Image {
	if props.Registry != "" {
		return fromRegistry(scope, id, props.Registry)
	}
	if props.Directory != "" {
		return FromAsset(awsecrassets.NewDockerImageAsset(scope, jsii.String(id), &awsecrassets.DockerImageAssetProps{
			Directory: jsii.String(project.Resolve(props.Directory)),
			Platform:  Platform(props.Architecture),
		}))
	}
	// The root's .dockerignore narrows the context to what the app is built
	// from, so the hash of the asset changes only with the app.
	asset := awsecrassets.NewDockerImageAsset(scope, jsii.String(id), &awsecrassets.DockerImageAssetProps{
		Directory: jsii.String(project.Path()),
		File:      jsii.String("app/Dockerfile"),
		Platform:  Platform(props.Architecture),
	})
	return FromAsset(asset)
}

// Platform is the architecture in Docker's spelling.
func Platform(architecture settings.Architecture) awsecrassets.Platform {
	if architecture == settings.X86_64 {
		return awsecrassets.Platform_LINUX_AMD64()
	}
	return awsecrassets.Platform_LINUX_ARM64()
}

// FromAsset returns the image that a deploy builds and pushes.
func FromAsset(asset awsecrassets.DockerImageAsset) Image {
	return Image{
		URI:        asset.ImageUri(),
		Container:  awsecs.ContainerImage_FromDockerImageAsset(asset),
		Repository: asset.Repository(),
	}
}

// privateECR matches a private ECR image: account, region, partition's domain,
// repository, and a tag or digest.
var privateECR = regexp.MustCompile(`^([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.(amazonaws\.com(?:\.cn)?)/([^:@]+)(?:[:@](.+))?$`)

func fromRegistry(scope constructs.Construct, id, name string) Image {
	match := privateECR.FindStringSubmatch(name)
	if match == nil {
		return Image{
			URI:       jsii.String(name),
			Container: awsecs.ContainerImage_FromRegistry(jsii.String(name), nil),
		}
	}
	account, region, path, version := match[1], match[2], match[4], match[5]
	if version == "" {
		version = "latest"
	}
	// Private images need a grant, and only a repository can give one.
	repository := awsecr.Repository_FromRepositoryAttributes(scope, jsii.String(id), &awsecr.RepositoryAttributes{
		RepositoryName: jsii.String(path),
		RepositoryArn:  jsii.String(fmt.Sprintf("arn:%s:ecr:%s:%s:repository/%s", *awscdk.Aws_PARTITION(), region, account, path)),
	})
	return Image{
		URI:        jsii.String(name),
		Container:  awsecs.ContainerImage_FromEcrRepository(repository, jsii.String(version)),
		Repository: repository,
	}
}

// InECR reports whether name is an image in ECR, private or public, or "", the
// image that is built and pushed to ECR.
func InECR(name string) bool {
	return name == "" || privateECR.MatchString(name) || strings.HasPrefix(name, "public.ecr.aws/")
}
