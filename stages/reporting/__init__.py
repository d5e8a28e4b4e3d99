"""The pages a person looks at: templates, charts as Plotly figures, and the assets beside them."""
