package eject

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/project"
)

// A phrase that is no longer written would go on to be replaced by nobody.
func TestEveryPhraseStandsInTheCode(t *testing.T) {
	var all strings.Builder
	for _, pattern := range []string{"stacks/*.go", "constructs/*/*.go"} {
		files, err := filepath.Glob(project.Path(filepath.FromSlash(pattern)))
		require.NoError(t, err)
		for _, path := range files {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ParseComments)
			require.NoError(t, err)
			for _, comment := range file.Comments {
				all.WriteString(strings.Join(strings.Fields(comment.Text()), " ") + " ")
			}
			all.Write(text)
		}
	}
	for _, phrase := range phrases {
		assert.Contains(t, all.String(), phrase[0])
	}
}

func TestAPhraseIsReplacedOverLinesAndWrappedAgain(t *testing.T) {
	got := rephrased([]string{"// Props configures a deployment. A nil *Props deploys", "// the sandbox.", "//", "// Second."})
	assert.Equal(t, []string{"// Props configures a deployment.", "//", "// Second."}, []string(got))
}
